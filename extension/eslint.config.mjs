import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import hooks from 'eslint-plugin-react-hooks';
import typescript from 'typescript-eslint';

// What a person reads goes through ITranslator.
const WORDS = '/[A-Za-z]{2,}/';
const READ = '/^(title|label|caption|placeholder|tooltip|body|alt|textContent|innerText)$/';
const message = 'A person reads this: put it through trans.__().';
const untranslated = [
  `JSXText[value=${WORDS}]`,
  `JSXAttribute[name.name=/^(title|label|placeholder|alt|aria-label)$/] > Literal[value=${WORDS}]`,
  `Property[key.name=${READ}] > Literal[value=${WORDS}]`,
  `AssignmentExpression[left.property.name=${READ}] > Literal[value=${WORDS}]`,
  `NewExpression[callee.name=/Error$/] > Literal:first-child[value=${WORDS}]`,
  'NewExpression[callee.name=/Error$/] > TemplateLiteral:first-child',
  `CallExpression[callee.property.name='setAttribute'][arguments.0.value='aria-label'] > Literal:nth-child(2)[value=${WORDS}]`
].map(selector => ({ selector, message }));

export default typescript.config(
  { ignores: ['lib/', 'node_modules/', 'wavebook/', 'style/index.js'] },
  js.configs.recommended,
  {
    files: ['src/**/*.{ts,tsx}'],
    extends: [...typescript.configs.recommendedTypeChecked, prettier],
    plugins: { 'react-hooks': hooks },
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname }
    },
    rules: {
      ...hooks.configs.recommended.rules,
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/naming-convention': [
        'error',
        {
          selector: 'interface',
          format: ['PascalCase'],
          custom: { regex: '^I[A-Z]', match: true }
        }
      ],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-namespace': 'off',
      // Lumino's signals take the method and its object; JupyterLab's translations may be taken apart.
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { args: 'none' }],
      curly: ['error', 'all'],
      eqeqeq: 'error',
      'no-console': 'error',
      'no-restricted-syntax': ['error', ...untranslated],
      'prefer-arrow-callback': 'error'
    }
  },
  {
    // What is wrong inside of a damaged file is told as it is; the sentence around it is translated.
    files: ['src/replay/document.ts'],
    rules: { 'no-restricted-syntax': 'off' }
  }
);
