import { html } from 'htm/preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Line, Log } from '../log.ts';

/** Nearer to the end than this counts as reading along, in pixels. */
const AT_END_PX = 24;

/** The build's output. It opens while a build runs, unless a person closed it, and follows who reads along. */
export function BuildLog({ log }: { log: Log }) {
  const [isOpen, setOpen] = useState(false);
  const isClosedByHand = useRef(false);
  const readsAlong = useRef(true);
  const box = useRef<HTMLDivElement>(null);

  useEffect(() => {
    if (log.building && !isClosedByHand.current) setOpen(true);
  }, [log.building, log.release]);
  useLayoutEffect(() => {
    if (box.current && readsAlong.current) box.current.scrollTop = box.current.scrollHeight;
  }, [log.lines, isOpen]);

  const scrolled = ({ currentTarget: at }: { currentTarget: HTMLElement }) => {
    readsAlong.current = at.scrollHeight - at.scrollTop - at.clientHeight < AT_END_PX;
  };
  const toggled = ({ currentTarget }: { currentTarget: HTMLDetailsElement }) => {
    setOpen(currentTarget.open);
  };
  const clicked = () => {
    isClosedByHand.current = isOpen;
  };
  return html`
    <details id="log-box" class="log" open=${isOpen} data-building=${String(log.building)} onToggle=${toggled}>
      <summary onClick=${clicked}><span id="log-title">Build log${log.release && ` of ${log.release}`}</span></summary>
      <div ref=${box} id="log" role="log" aria-live="off" aria-label="Build log" tabindex="0" onScroll=${scrolled}>${log.lines.map(toLine)}</div>
    </details>
  `;
}

function toLine({ key, text, isError }: Line) {
  return html`<div key=${key} class=${isError ? 'error' : undefined}>${text}</div>`;
}
