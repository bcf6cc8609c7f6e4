import { DisposableDelegate, type IDisposable } from '@lumino/disposable';

/**
 * Keep the focus in the input of a chat when a launcher opens by itself.
 *
 * JupyterLab opens its launcher once the server has listed the folder, however late that is, and gives it the focus:
 * the rest of what a person writes, and the Enter that should send it, would go to the launcher and be lost. One that
 * a person opens gets the focus, be it by a click or by a shortcut from within the input.
 */
export function keepFocus(chat: HTMLElement): IDisposable {
  let shortcut = false;

  const onKeyDown = (event: KeyboardEvent): void => {
    shortcut = event.ctrlKey || event.altKey || event.metaKey;
  };
  const onFocusIn = ({ target, relatedTarget: left }: FocusEvent): void => {
    const taken = target instanceof Element && target.matches('.jp-Launcher:not(:active)');
    if (taken && !shortcut && left instanceof HTMLTextAreaElement && chat.contains(left)) {
      left.focus();
    }
  };
  chat.addEventListener('keydown', onKeyDown, true);
  document.addEventListener('focusin', onFocusIn);

  return new DisposableDelegate(() => {
    chat.removeEventListener('keydown', onKeyDown, true);
    document.removeEventListener('focusin', onFocusIn);
  });
}
