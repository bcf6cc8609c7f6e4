/**
 * Lists the texts that a person reads, as a template for translations: wavebook/locale/wavebook.pot.
 *
 * With --check nothing is written; the exit code says whether the list is up to date.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import typescript from 'typescript';

const TARGET = 'wavebook/locale/wavebook.pot';
const HEAD = `msgid ""
msgstr ""
"Project-Id-Version: wavebook\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
`;

/** By context and text: its plural, and the files that hold it. */
const found = new Map();

function note(file, context, id, plural = null) {
  const key = `${context}\u0004${id}`;
  const entry = found.get(key) ?? { context, id, plural, files: new Set() };
  entry.files.add(file);
  entry.plural ??= plural;
  found.set(key, entry);
}

function texts(file, node) {
  if (typescript.isCallExpression(node)) {
    const callee = node.expression;
    const name = typescript.isPropertyAccessExpression(callee)
      ? callee.name.text
      : callee.getText();
    const written = node.arguments.map(item =>
      typescript.isStringLiteralLike(item) ? item.text : null
    );
    if ((name === '__' || name === 'trans') && written[0]) {
      note(file, '', written[0]);
    } else if (name === '_n' && written[0] && written[1]) {
      note(file, '', written[0], written[1]);
    }
  }
  typescript.forEachChild(node, child => texts(file, child));
}

for (const entry of readdirSync('src', { recursive: true, encoding: 'utf8' }).sort()) {
  if (/\.tsx?$/.test(entry)) {
    const file = join('src', entry);
    const source = readFileSync(file, 'utf8');
    texts(file, typescript.createSourceFile(file, source, typescript.ScriptTarget.Latest, true));
  }
}

const schema = JSON.parse(readFileSync('schema/plugin.json', 'utf8'));
const described = [schema, ...Object.values(schema.properties)];
const menus = schema['jupyter.lab.menus'].main.map(menu => menu.label);
[
  ...described.flatMap(item => [item.title, item.description]),
  schema['jupyter.lab.setting-icon-label'],
  ...menus
].forEach(text => note('schema/plugin.json', 'schema', text));

const quoted = text => JSON.stringify(text);
const entries = [...found.values()].sort((a, b) =>
  `${a.id}${a.context}` < `${b.id}${b.context}` ? -1 : 1
);
const catalogue = [
  HEAD,
  ...entries.map(({ context, id, plural, files }) =>
    [
      `#: ${[...files].sort().join(' ')}`,
      ...(context ? [`msgctxt ${quoted(context)}`] : []),
      `msgid ${quoted(id)}`,
      ...(plural
        ? [`msgid_plural ${quoted(plural)}`, 'msgstr[0] ""', 'msgstr[1] ""']
        : ['msgstr ""']),
      ''
    ].join('\n')
  )
].join('\n');

if (!process.argv.includes('--check')) {
  writeFileSync(TARGET, catalogue);
} else if (readFileSync(TARGET, 'utf8') !== catalogue) {
  process.stderr.write(`${TARGET} is not up to date: run jlpm messages\n`);
  process.exitCode = 1;
}
