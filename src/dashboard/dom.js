/**
 * What the views build with. Text goes in as text nodes only: file names, log lines and errors come from
 * outside, and the page's policy (trusted types) refuses anything that parses HTML.
 */

const SVG = 'http://www.w3.org/2000/svg';

/**
 * @param {string} id
 * @returns {any} the element, whose kind index.html fixes
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`index.html has no #${id}`);
  return found;
}

/**
 * @param {string} tag
 * @param {Record<string, string>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElement}
 */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/**
 * @param {string} tag
 * @param {Record<string, string | number>} [attributes]
 * @param {...(Node | string)} children
 * @returns {SVGElement}
 */
export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.append(...children);
  return /** @type {SVGElement} */ (node);
}

/**
 * Leaves a text alone that is as it should be: writing it again would lose a selection and be read out again.
 *
 * @param {Element} node
 * @param {string} text
 */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Shows an element when there is something to say in it.
 *
 * @param {HTMLElement} node
 * @param {string | null | undefined} text
 */
export function setTextOrHide(node, text) {
  node.hidden = !text;
  setText(node, text ?? '');
}

/**
 * Hides an element. A focused control that vanishes takes the keyboard's place in the page with it, so
 * the focus goes somewhere near first.
 *
 * @param {HTMLElement} node
 * @param {boolean} hidden
 * @param {HTMLElement} near
 */
export function setHidden(node, hidden, near) {
  if (hidden && node.contains(document.activeElement)) near.focus();
  node.hidden = hidden;
}

/**
 * Makes the children match the items. An item keeps its element, so that focus and selection stay.
 *
 * @template T
 * @param {Element} parent
 * @param {T[]} items
 * @param {(item: T) => string} keyOf
 * @param {(item: T) => Element} create
 * @param {(node: any, item: T) => void} update
 */
export function syncList(parent, items, keyOf, create, update) {
  const old = new Map([...parent.children].map((node) => [node.getAttribute('data-key'), node]));
  let at = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    let node = old.get(key);
    old.delete(key);
    if (!node) {
      node = create(item);
      node.setAttribute('data-key', key);
    }
    if (node === at) at = at.nextElementSibling;
    else parent.insertBefore(node, at);
    update(node, item);
  }
  for (const node of old.values()) node.remove();
}

const ICONS = {
  check: 'M3 8.5 6.5 12 13 4.5',
  cross: 'M4 4 12 12 M12 4 4 12',
  undo: 'M6 3 2.5 6.5 6 10 M3 6.5 H9.5 A3.5 3.5 0 0 1 9.5 13.5 H6',
  dash: 'M4 8 H12',
  ring: 'M8 3 A5 5 0 1 1 7.99 3',
  arc: 'M8 3 A5 5 0 1 1 3 8',
  dot: 'M8 5 A3 3 0 1 1 7.99 5',
};

/**
 * @param {keyof typeof ICONS} name
 * @returns {SVGElement}
 */
export function icon(name) {
  const path = svg('path', { d: ICONS[name] });
  return svg('svg', { class: 'icon', viewBox: '0 0 16 16', 'aria-hidden': 'true' }, path);
}

/**
 * Puts an icon and a word in front of a person: never a colour alone.
 *
 * @param {Element} node
 * @param {keyof typeof ICONS} name
 * @param {string} word
 */
export function setIconAndWord(node, name, word) {
  if (node.getAttribute('data-icon') === name && node.textContent === word) return;
  node.setAttribute('data-icon', name);
  node.replaceChildren(icon(name), word);
}
