import { useLayoutEffect, useRef } from 'preact/hooks';

/**
 * For an element that comes and goes by its `hidden` attribute. A focused control that vanishes takes the
 * keyboard's place in the page with it, so the focus goes to the element with the id `near`.
 *
 * @returns the element's ref
 */
export function useHiding<Kind extends HTMLElement>(hidden: boolean, near: string) {
  const ref = useRef<Kind>(null);
  useLayoutEffect(() => {
    if (hidden && ref.current?.contains(document.activeElement)) {
      document.getElementById(near)?.focus();
    }
  }, [hidden, near]);
  return ref;
}
