import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';

const SOURCES = ['src', 'srcset', 'poster'];

/**
 * A sanitizer that also lets nothing be loaded from elsewhere: an address can carry away what an agent was tricked
 * into writing there, and to load it needs no click. Pictures become links.
 */
export function withoutRemote(inner: IRenderMime.ISanitizer): IRenderMime.ISanitizer {
  const outer = Object.create(inner) as IRenderMime.ISanitizer;
  outer.sanitize = (dirty, options) => {
    // A parsed document is inert: unlike an element of the page, it loads nothing.
    const { body } = new DOMParser().parseFromString(inner.sanitize(dirty, options), 'text/html');
    for (const element of body.querySelectorAll('*')) {
      if (/url|image/i.test(element.getAttribute('style') ?? '')) {
        element.removeAttribute('style');
      }
      for (const name of SOURCES.filter(name => isRemote(element.getAttribute(name)))) {
        if (element instanceof HTMLImageElement && name === 'src') {
          element.replaceWith(link(element));
        } else {
          element.removeAttribute(name);
        }
      }
    }
    return body.innerHTML;
  };
  return outer;
}

function link(picture: HTMLImageElement): HTMLAnchorElement {
  const anchor = document.createElement('a');
  const address = picture.getAttribute('src') ?? '';
  anchor.href = address;
  anchor.rel = 'noopener noreferrer nofollow';
  anchor.target = '_blank';
  anchor.textContent = picture.alt || address;
  return anchor;
}

/** Whether an address, or one of a list of them, leads away from this server. */
function isRemote(addresses: string | null): boolean {
  return (addresses ?? '').split(/,?\s+/).some(address => {
    if (!address || address.startsWith('data:')) {
      return false;
    }
    try {
      return new URL(address, document.baseURI).origin !== window.location.origin;
    } catch {
      return true;
    }
  });
}
