import type { IRenderMime } from '@jupyterlab/rendermime';

/** What a browser fetches by itself. */
const FETCHED = 'img, picture, source, audio, video, track, image';

/** Addresses that lead to no machine: this server's are refused too, since some of them do something (`/logout`). */
const WITHIN = /^(data:image\/|blob:|attachment:)/i;

const ELSEWHERE = /^(https?:)?\/\//i;

/**
 * The sanitizer of the conversation: what is said there may quote logs and files, so it fetches nothing by itself (an
 * address can carry away what was read) and runs no command of JupyterLab. Pictures of other servers become links.
 */
export class ChatSanitizer implements IRenderMime.ISanitizer {
  /** Links that run a command of JupyterLab are none here. */
  readonly allowCommandLinker = false;

  constructor(private _inner: IRenderMime.ISanitizer) {}

  get allowNamedProperties(): boolean {
    return this._inner.allowNamedProperties ?? false;
  }

  getAutolink(): boolean {
    return this._inner.getAutolink?.() ?? true;
  }

  sanitize(dirty: string, options?: IRenderMime.ISanitizerOptions): string {
    // What stands in a template is not alive: nothing is fetched while it is looked through.
    const template = document.createElement('template');
    template.innerHTML = this._inner.sanitize(dirty, options);
    for (const element of template.content.querySelectorAll(FETCHED)) {
      const address = element.getAttribute('src') ?? '';
      const more = element.hasAttribute('srcset') || element.hasAttribute('poster');
      if (more || !WITHIN.test(address)) {
        element.replaceWith(told(element, address));
      }
    }
    for (const element of template.content.querySelectorAll<HTMLElement>(
      '[style*="url" i], [style*="image" i]'
    )) {
      element.removeAttribute('style');
    }
    for (const element of template.content.querySelectorAll('[data-commandlinker-command]')) {
      element.removeAttribute('data-commandlinker-command');
    }
    // Once more, as what a browser reads and writes anew need not be what was found clean.
    return this._inner.sanitize(template.innerHTML, options);
  }
}

/** What stands in the place of something that would be fetched. */
function told(element: Element, address: string): HTMLAnchorElement | string {
  const text = element.getAttribute('alt') || address;
  if (!ELSEWHERE.test(address)) {
    return text;
  }
  const link = document.createElement('a');
  link.href = address;
  link.textContent = text;
  return link;
}
