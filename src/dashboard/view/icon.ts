import { html } from 'htm/preact';

const PATHS = {
  check: 'M3 8.5 6.5 12 13 4.5',
  cross: 'M4 4 12 12 M12 4 4 12',
  undo: 'M6 3 2.5 6.5 6 10 M3 6.5 H9.5 A3.5 3.5 0 0 1 9.5 13.5 H6',
  dash: 'M4 8 H12',
  ring: 'M8 3 A5 5 0 1 1 7.99 3',
  arc: 'M8 3 A5 5 0 1 1 3 8',
  dot: 'M8 5 A3 3 0 1 1 7.99 5',
};

export type IconName = keyof typeof PATHS;

/** Always with a word beside it: never a sign or a colour alone. */
export function Icon({ name }: { name: IconName }) {
  return html`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d=${PATHS[name]} /></svg>`;
}
