import type { Family } from './family.ts';

/** Not there for a site on one machine. */
export const fleetFamilies: Family[] = [
  {
    name: 'slots_fleet_ready',
    help: '1 while a load balancer may send visitors to this machine of the fleet.',
    type: 'gauge',
    labels: [],
    read: ({ fleet }) =>
      fleet ? [{ labels: {}, value: Number(fleet.standing.notReady === null) }] : [],
  },
  {
    name: 'slots_fleet_connected',
    help: '1 while this machine hears the others of its fleet.',
    type: 'gauge',
    labels: [],
    read: ({ fleet }) => (fleet ? [{ labels: {}, value: Number(fleet.report.connected) }] : []),
  },
  {
    name: 'slots_fleet_epoch',
    help: 'Flips of the fleet that this machine has made.',
    type: 'gauge',
    labels: [],
    read: ({ fleet }) => (fleet ? [{ labels: {}, value: fleet.standing.epoch }] : []),
  },
  {
    name: 'slots_fleet_machines',
    help: 'Machines of the fleet that this one knows, by whether visitors may be sent there.',
    type: 'gauge',
    labels: ['ready'],
    read: ({ fleet }) =>
      [true, false].flatMap((ready) => {
        if (!fleet) return [];
        const value = fleet.report.machines.filter((machine) => machine.ready === ready).length;
        return [{ labels: { ready: String(ready) }, value }];
      }),
  },
];
