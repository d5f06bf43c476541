import { expect, test } from 'vitest';
import { maintenanceByFleet, withMaintenance } from '../../src/controller/maintenance.ts';
import { EMPTY_STATE } from '../../src/slots/state.ts';

const PAGE = { message: null, allow: [], since: '2026-01-31T12:00:00.000Z' };
const OTHER = { ...PAGE, message: 'Back at noon.' };

test('in usual times the state says nothing of maintenance', () => {
  const on = withMaintenance(EMPTY_STATE, { page: PAGE });
  expect(on.maintenance).toEqual({ page: PAGE });
  expect(withMaintenance(on, { page: null })).toEqual(EMPTY_STATE);
});

test('a machine that was taken out of it by itself remembers that', () => {
  const on = withMaintenance(EMPTY_STATE, { page: PAGE });
  const off = withMaintenance(on, { page: null, alone: true });
  expect(off.maintenance).toEqual({ page: null, alone: true });
  expect(maintenanceByFleet(off, PAGE)).toBeNull();
});

test.for([
  ['takes the page of its fleet', undefined, PAGE, { page: PAGE }],
  ['takes another page of its fleet', { page: PAGE }, OTHER, { page: OTHER }],
  ['shows the site again with its fleet', { page: PAGE }, null, { page: null }],
  ['has nothing to do where it does the same', { page: PAGE }, { ...PAGE }, null],
  ['has nothing to do where all show the site', undefined, null, null],
  ['keeps its page where the fleet has no word', { page: PAGE }, undefined, null],
  ['keeps a page of its own', { page: OTHER, alone: true }, null, null],
] as const)('a machine %s', ([, maintenance, said, wanted]) => {
  const state = { maintenance: maintenance && structuredClone(maintenance) };
  const page = said && structuredClone(said);
  // biome-ignore lint/suspicious/noExplicitAny: the table is readonly
  expect(maintenanceByFleet(state as any, page as any)).toEqual(wanted);
});
