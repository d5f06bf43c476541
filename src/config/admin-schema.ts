import { z } from 'zod';

export const COMMAND_EXPECTED = 'a command or a list of its words';

export const commandSchema = z.union(
  [z.string().min(1, COMMAND_EXPECTED), z.array(z.string()).min(1, COMMAND_EXPECTED)],
  COMMAND_EXPECTED,
);

/** `admin` of the config: where the admin API is reached, besides the control socket. */
export const adminSchema = z
  .strictObject({
    /** Address that the admin port listens on. Anything but the loopback's lets other machines in. */
    host: z.string().min(1).default('127.0.0.1'),
    /** Names, without a port, that a request's `Host` may have besides those of the loopback. */
    hosts: z
      .array(
        z
          .string()
          .regex(
            /^(\[[0-9a-fA-F:.]+\]|[a-zA-Z0-9._-]+)$/,
            'a host name or an address, without a port',
          ),
      )
      .default([]),
  })
  .prefault({});

export const OUTCOMES = ['promoted', 'failed', 'rolled-back'] as const;

/** What others can be told of: how a promotion ended, or `certificate`, that one could not be renewed in time. */
export const NOTICES = [...OUTCOMES, 'certificate'] as const;

/** `notify` of the config: who is told how promotions end. */
export const notifySchema = z
  .array(
    z.strictObject({
      /** Gets a POST. Often a secret in itself, so it is never logged. */
      url: z.url({ protocol: /^https?$/, error: 'an http or https URL' }),
      /** The outcomes to tell of; `certificate`: an order failed while there is none, or less than a third of its life is left. */
      on: z
        .array(z.enum(NOTICES))
        .min(1)
        .default([...NOTICES]),
      /** The body's shape. */
      format: z.enum(['json', 'slack', 'discord']).default('json'),
    }),
  )
  .default([]);

/** `deploy` of the config: promotions by a push to the site's git remote. */
export const deploySchema = z.strictObject({
  /** Whether `POST /hooks/git` on the admin port fetches, fast-forwards and promotes. */
  git: z.boolean().default(false),
  /** Shared with the git host, which signs its calls with it. All that keeps strangers from deploying. */
  secret: z.string().min(16),
});

export type NotifyTarget = z.output<typeof notifySchema>[number];
export type Outcome = (typeof OUTCOMES)[number];
