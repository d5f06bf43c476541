import type { Instance } from '../../pm2.ts';
import type { Family, Sample } from './family.ts';
import type { Snapshot } from './snapshot.ts';

/** By a number from 0 on within its app: a pid would be a new series at each restart. */
function eachInstance({ instances }: Snapshot, value: (instance: Instance) => number): Sample[] {
  return instances.flatMap(({ role, instances: all }) =>
    [...all]
      .sort((a, b) => a.pmId - b.pmId)
      .map((instance, index) => ({
        labels: { app: role, instance: index },
        value: value(instance),
      })),
  );
}

export const processFamilies: Family[] = [
  {
    name: 'slots_process_online',
    help: "1 for a process that PM2 says is online, by the app's role.",
    type: 'gauge',
    labels: ['app', 'instance'],
    read: (snapshot) => eachInstance(snapshot, ({ status }) => Number(status === 'online')),
  },
  {
    name: 'slots_process_memory_bytes',
    help: 'Resident memory of each process that PM2 runs, in bytes.',
    type: 'gauge',
    labels: ['app', 'instance'],
    read: (snapshot) => eachInstance(snapshot, ({ memoryBytes }) => memoryBytes),
  },
  {
    name: 'slots_process_restarts',
    help: 'How often PM2 has restarted each process, promotions included.',
    type: 'gauge',
    labels: ['app', 'instance'],
    read: (snapshot) => eachInstance(snapshot, ({ restarts }) => restarts),
  },
  {
    name: 'slots_pm2_daemon_memory_bytes',
    help: 'Resident memory of the PM2 daemon itself, in bytes.',
    type: 'gauge',
    labels: [],
    read: ({ daemonMemoryBytes }) =>
      daemonMemoryBytes === null ? [] : [{ labels: {}, value: daemonMemoryBytes }],
  },
];
