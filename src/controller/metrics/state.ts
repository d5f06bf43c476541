import { SLOTS } from '../../slots/slot.ts';
import { VERSION } from '../../version.ts';
import { roles } from '../promotion/roles.ts';
import type { Family } from './family.ts';

export const stateFamilies: Family[] = [
  {
    name: 'slots_active',
    help: '1 for the slot that visitors see, 0 for the other one.',
    type: 'gauge',
    labels: ['slot'],
    read: ({ state }) =>
      SLOTS.map((slot) => ({ labels: { slot }, value: Number(state.active === slot) })),
  },
  {
    name: 'slots_slot_info',
    help: '1, with what the slot holds and does.',
    type: 'gauge',
    labels: ['slot', 'release', 'role'],
    read: ({ state }) =>
      SLOTS.map((slot) => ({
        labels: { slot, release: state.slots[slot].release ?? '', role: roles(state)[slot] },
        value: 1,
      })),
  },
  {
    name: 'slots_slot_healthy',
    help: '1 when the slot answered the last round of probes.',
    type: 'gauge',
    labels: ['slot'],
    read: ({ healthy }) =>
      SLOTS.map((slot) => ({ labels: { slot }, value: Number(healthy[slot]) })),
  },
  {
    name: 'slots_failed_over',
    help: '1 while visitors are kept off this slot because it died.',
    type: 'gauge',
    labels: ['slot'],
    read: ({ state }) =>
      SLOTS.map((slot) => ({ labels: { slot }, value: Number(state.failedOverFrom === slot) })),
  },
  {
    name: 'slots_epoch',
    help: 'Flips so far, failovers included.',
    type: 'gauge',
    labels: [],
    read: ({ state }) => [{ labels: {}, value: state.epoch }],
  },
  {
    name: 'slots_promotion_running',
    help: '1 while a promotion runs.',
    type: 'gauge',
    labels: [],
    read: ({ state }) => [{ labels: {}, value: Number(state.promotion !== null) }],
  },
  {
    name: 'slots_last_promotion_timestamp_seconds',
    help: 'When the last promotion ended, by its outcome, in seconds since 1970.',
    type: 'gauge',
    labels: ['outcome'],
    read: ({ state: { last } }) =>
      last
        ? [{ labels: { outcome: last.outcome }, value: Date.parse(last.finishedAt) / 1000 }]
        : [],
  },
  {
    name: 'slots_edits_paused',
    help: '1 while edits are not promoted.',
    type: 'gauge',
    labels: [],
    read: ({ state }) => [{ labels: {}, value: Number(state.paused) }],
  },
  {
    name: 'slots_maintenance',
    help: '1 while visitors get a page in place of the site.',
    type: 'gauge',
    labels: [],
    read: ({ state }) => [{ labels: {}, value: Number(state.maintenance?.page != null) }],
  },
  {
    name: 'slots_edits_pending',
    help: 'Changes of watched files that no build has taken up yet.',
    type: 'gauge',
    labels: [],
    read: ({ pending }) => [{ labels: {}, value: pending }],
  },
  {
    name: 'slots_build_info',
    help: '1, with the versions that run.',
    type: 'gauge',
    labels: ['version', 'node'],
    read: () => [{ labels: { version: VERSION, node: process.version }, value: 1 }],
  },
];
