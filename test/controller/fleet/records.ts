import type {
  Desired,
  FleetCandidate,
  Heard,
  Presence,
} from '../../../src/controller/fleet/records.ts';

export function desired(changes: Partial<Desired> = {}): Desired {
  return {
    epoch: 3,
    release: 'r3',
    by: 'web1',
    rollback: false,
    members: ['web1', 'web2'],
    flipAt: 1000,
    fence: 7,
    ...changes,
  };
}

export function candidate(changes: Partial<FleetCandidate> = {}): FleetCandidate {
  return {
    id: 'p4',
    epoch: 4,
    release: 'r4',
    by: 'web1',
    rollback: false,
    withdrawn: null,
    ...changes,
  };
}

export function heard(id: string, changes: Partial<Presence> = {}, at = 0): Heard {
  const presence: Presence = {
    id,
    run: `run-${id}`,
    address: '10.0.0.1:4321',
    node: 'v24.0.0',
    arch: 'x64',
    epoch: 3,
    release: 'r3',
    builds: true,
    edited: false,
    apart: false,
    notReady: null,
    prepared: null,
    failed: null,
    needs: null,
    clock: null,
    ...changes,
  };
  return { presence, at };
}
