/** Starts the dashboard and draws it: on each change of its model, and now and then for the times that pass. */
import { html, render } from 'htm/preact';
import type { Model } from './model.ts';
import { createSession } from './session.ts';
import { tokenIn } from './token.ts';
import { App, titleOf } from './view/app.ts';

/** Elapsed times move by themselves, in milliseconds. */
const REDRAW_MS = 250;

const root = document.getElementById('app') as HTMLElement;
let shown: Model | null = null;

const draw = (model: Model) => {
  shown = model;
  if (model.status) document.title = titleOf(model.status);
  render(html`<${App} model=${model} session=${session} />`, root);
};
const session = createSession(draw);
session.begin();

setInterval(() => shown && !document.hidden && draw(shown), REDRAW_MS);
// The whole address pasted over this page's changes the fragment only, which loads nothing.
window.addEventListener('hashchange', () => tokenIn(location.hash) && session.begin());
