import { z } from 'zod';

/** The reasons for which a promotion or a build starts: releases, history, logs, API and dashboard name it. docs/api.md lists them. */
export const TRIGGERS = {
  edit: 'a watched file changed',
  promote: '`slots promote`, or the same by the dashboard or the API',
  push: 'a git push, by the webhook',
  start:
    "at the controller's start the files differed from the active release's, or nothing was live",
  resume: 'edits that were made while they were paused',
  unsettled: 'files changed while a build read them, so that they are built again',
  restart:
    '`slots restart`: fresh processes with the current environment, of the release that is live',
  rollback: 'a rollback',
  fleet: 'another machine of the fleet has promoted it',
  build: '`slots build`',
  unknown: 'it was not recorded, or by a version of slots that has more triggers',
} as const satisfies Record<string, string>;

export type Trigger = keyof typeof TRIGGERS;

/** On disk: a release whose trigger this version does not know is a release all the same. */
export const triggerSchema = z.enum(Object.keys(TRIGGERS) as Trigger[]).catch('unknown');
