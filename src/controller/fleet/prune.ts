/** What nobody needs any more leaves the store, so that it does not grow with the flips and the machines that ever were. */
import type { Core } from './core.ts';
import { forgottenMachines } from './view.ts';

/** After a flip, by the machine that led there, while it has the lease still: nobody else publishes meanwhile. */
export async function prune(core: Core): Promise<void> {
  const { config, context, link, lease, releases, sourceStore } = core;
  const { blue, green } = context.store.state.slots;
  const inUse = new Set([blue.release, green.release].filter((id) => id !== null));
  const kept = await releases.prune(context.config.keep, inUse);
  await sourceStore.prune(kept, lease.isHeld);
  const { fleet } = link.connection();
  for (const { value, revision } of forgottenMachines(
    link.view,
    core.serverNow(),
    config.forgetMs,
  )) {
    // One that has come back meanwhile has another revision, and stays.
    await fleet.remove(`seen.${value.id}`, revision);
  }
  await fleet.compact();
}
