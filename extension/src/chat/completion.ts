import { DisposableDelegate, type IDisposable } from '@lumino/disposable';

/**
 * Take the completion that is marked, by Enter or Tab.
 *
 * The library's list marks its first entry by itself. To Enter, though, it counts only once the person has moved in the
 * list; before that, Enter empties the input.
 */
export function takeCompletion(chat: HTMLElement): IDisposable {
  const onKeyDown = (event: KeyboardEvent): void => {
    const asked = (event.key === 'Enter' || event.key === 'Tab') && !event.shiftKey;
    const marked =
      event.target instanceof Element && event.target.getAttribute('aria-activedescendant');
    const option = marked ? document.getElementById(marked) : null;
    if (asked && !event.isComposing && option) {
      event.preventDefault();
      event.stopPropagation();
      option.click();
    }
  };
  chat.addEventListener('keydown', onKeyDown, true);
  return new DisposableDelegate(() => chat.removeEventListener('keydown', onKeyDown, true));
}
