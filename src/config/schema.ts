import { normalize } from 'node:path';
import { z } from 'zod';
import {
  adminSchema,
  COMMAND_EXPECTED,
  commandSchema,
  deploySchema,
  notifySchema,
} from './admin-schema.ts';
import { cacheSchema } from './cache-schema.ts';
import { type FleetConfig, fleetSchema } from './fleet-schema.ts';
import { hostName } from './host-names.ts';
import { milliseconds as ms } from './milliseconds.ts';
import type { PresetClient } from './presets/client-folder.ts';
import type { Copy } from './presets/preset.ts';
import { proxySchema } from './proxy-schema.ts';

const port = z.int().min(1).max(65_535);
const GIB = 1024 ** 3;

/** A name that PM2, file names and log lines can all carry. */
const name = z
  .string()
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9._-]*$/, 'letters, digits, dot, dash and underscore');

/** A path below some folder: absolute paths and `..` would let a config reach outside the site. */
const relativePath = z
  .string()
  .min(1)
  .refine((path) => !path.startsWith('/') && !path.split(/[\\/]/).includes('..'), {
    message: 'a path inside the site, without ".."',
  });

/** Our own files would start a promotion, which writes them again. */
const watchedPath = relativePath
  .refine((path) => !/^~(\/|$)/.test(path), {
    message: 'a path inside the site: "~" is not expanded',
  })
  .refine((path) => !path.startsWith('!'), {
    message: 'a file or folder to watch: what is to be left out belongs into "ignore"',
  })
  .refine((path) => path.startsWith('!') || !/[*?]|\{[^}]*,[^}]*\}/.test(path), {
    message: 'a file or folder, no pattern: a folder is watched with all that is in it',
  })
  .refine((path) => normalize(path).split('/')[0] !== 'slots', {
    message: 'a path outside slots/, which is where releases and the state are kept',
  });

/** A folder of its own: a release cannot link to all of the site, nor to what slots keeps there. */
const sharedPath = watchedPath
  .refine((path) => normalize(path).replace(/\/$/, '') !== '.', {
    message: 'a folder below the site',
  })
  .transform((path) => normalize(path).replace(/\/$/, ''));

const variableName = z.string().regex(/^[^=\0]+$/, 'a name that is not empty and has no "="');

const variableValue = z.string().regex(/^[^\0]*$/, 'a text without NUL');

export const configSchema = z.strictObject({
  /** Prefix of the PM2 apps. Default: the `name` in the site's package.json. */
  name: name.optional(),
  /** Files and folders whose changes start a promotion, relative to the site's root. A framework may have others. */
  watch: z.array(watchedPath).min(1).default(['content', 'src', 'public']),
  /**
   * Patterns of files and folders below the watched ones whose changes start nothing. One without a slash names a file or
   * folder at any depth (`*.log`), one with a slash a path from the site's root (`content/drafts`); `!` in front
   * takes back what an earlier one says. They are added to what editors, sync tools and desktops leave behind:
   * swap and backup files, `.obsidian`, `.DS_Store`, `Thumbs.db`, `.stfolder` and their like. What a build reads
   * is not changed by it.
   */
  ignore: z.array(z.string().min(1)).default([]),
  /**
   * Folders of the site that every release links to, such as `public/uploads` and `data`: what the site writes there
   * stays when a release goes. They are made where they are missing, and never watched, copied or removed.
   */
  shared: z.array(sharedPath).default([]),
  /** Watch by polling: for bind mounts and network file systems that send no events. */
  usePolling: z.boolean().default(false),
  /** How long the watched files must be quiet before a build starts, in milliseconds. */
  debounceMs: ms.default(300),
  /**
   * Builds the site. A string runs in a shell, an array is an argv. `{outDir}` is replaced by the folder
   * to build into, which is also in `SLOTS_OUT_DIR`. `false`: nothing is run, and what `copy` names is the
   * release. Default: detected from the framework.
   */
  build: z.union([commandSchema, z.literal(false)], COMMAND_EXPECTED).optional(),
  /** Files that go into the output folder after the build, for builds that write elsewhere. A framework may have its own. */
  copy: z
    .array(
      z.strictObject({
        /** A file or folder of the site; `.` is all of it but node_modules, slots and .git. */
        from: relativePath,
        /** Where it goes in the output folder. */
        to: relativePath.default('.'),
        /** Whether it may be missing. */
        optional: z.boolean().optional(),
        /** Names directly below `from` that stay behind. */
        except: z.array(z.string()).optional(),
      }),
    )
    .optional(),
  /**
   * Installs the dependencies that the lock file names, for instance `npm ci`. With it, each release keeps
   * those that it was built with, whatever is installed later.
   */
  install: commandSchema.optional(),
  /** After this many milliseconds the build's whole process tree is killed; so is an install's. */
  buildTimeoutMs: ms.min(1).default(600_000),
  /**
   * The server's entry file, relative to the build output. `static:` serves the output's files themselves.
   * Default: detected from the framework.
   */
  entry: relativePath.optional(),
  /**
   * Folders of the build output whose files visitors get as they are, and the path that their URLs begin with.
   * Without it the framework's count, of a static site what `entry` names, else the usual ones.
   */
  client: z
    .array(
      z.strictObject({
        /** A folder of the build output; `.` is all of it. */
        folder: relativePath,
        /** The path that its files' URLs begin with. */
        url: z.string().startsWith('/').default('/'),
      }),
    )
    .optional(),
  /**
   * For a single-page app of static files: `true` answers each path that has no file and no extension with
   * `index.html`, a name with that file. A `200.html` is used so without being asked. Default: detected.
   */
  single: z.union([z.boolean(), relativePath]).optional(),
  /**
   * Flags for Node itself, for instance `--import ./instrument.mjs`, word by word. Default: those of the start script
   * that names the entry.
   */
  nodeArgs: z.array(z.string()).optional(),
  /**
   * Arguments of the entry, word by word; `$PORT` and `$HOST` stand for the slot's. Default:
   * those of the start script that names the entry.
   */
  args: z.array(z.string()).optional(),
  /**
   * Files with variables for the build and the site, `NAME=value` line by line. They are read anew for each build and
   * by each process that starts; a change is promoted. The first that names a variable wins, and what `env` or
   * the environment has wins over them. Default: those that the framework's own production start reads.
   */
  envFiles: z.array(relativePath).optional(),
  /** Environment of the build and the site. `HOST` and `PORT` are set for each slot and win. */
  env: z.record(variableName, variableValue).default({}),
  /** Processes per slot. */
  instances: z.int().min(1).max(64).default(2),
  /** Four different ports: the public one, each slot's on 127.0.0.1, and the admin API's on `admin.host`. */
  ports: z
    .strictObject({
      /** The public port. */
      proxy: port.default(4321),
      /** The blue slot's, on 127.0.0.1. */
      blue: port.default(4322),
      /** The green slot's, on 127.0.0.1. */
      green: port.default(4323),
      /** The controller's, on 127.0.0.1. */
      admin: port.default(4320),
    })
    .prefault({})
    .refine((ports) => new Set(Object.values(ports)).size === 4, {
      message: 'four different ports',
    }),
  /** Address that the proxy listens on. `::` is every one, IPv4 and IPv6; every IPv4 one where there is no IPv6. */
  host: z.string().min(1).default('::'),
  /**
   * Makes the site one of several that share the ports 80 and 443: the hosts that it answers to, for instance
   * `['blog.example.com', '*.blog.example.com']`. They share one PM2 app, `slots-front`, in place of a proxy of each site's
   * own; `proxy.workers`, `ports.proxy` and `host` mean nothing then. `*.` stands for every name below.
   */
  hosts: z.array(hostName).min(1).optional(),
  /** How a candidate proves that it is fit to serve. */
  health: z
    .strictObject({
      /** Any 2xx or 3xx on this path is healthy. */
      path: z.string().startsWith('/').default('/'),
      /** The `Host` that the probes send, for sites that answer to their own name only. Default: address and port. */
      host: z.string().min(1).optional(),
      /** One probe's limit, in milliseconds. */
      timeoutMs: ms.min(1).default(2000),
      /** Pause between two probes, in milliseconds. */
      intervalMs: ms.default(100),
      /** Healthy answers in a row that each instance must give. */
      consecutive: z.int().min(1).default(2),
      /** Limit for starting and for checking a candidate, in milliseconds each. */
      deadlineMs: ms.min(1).default(30_000),
    })
    .prefault({}),
  /** How long open requests on the retiring slot may go on after a flip, in milliseconds. */
  drainTimeoutMs: ms.default(30_000),
  /** Releases to keep; those that a slot points to are kept besides. */
  keep: z.int().min(2).default(5),
  /**
   * A page that was opened before a release asks for scripts and images that the release has no more. Files with a hash
   * in their names outlive their release in `slots/assets`, and are sent where the site answers 404. `false`: they are not.
   */
  skew: z
    .union([
      z.literal(false),
      z.strictObject({
        /** How long they are kept after the last release that had them has left its slot, in days. */
        days: z.number().min(0).default(30),
        /** How much is kept, in bytes; what was live longest ago goes first. Files of a release in a slot stay. */
        maxBytes: z.int().min(0).default(GIB),
      }),
    ])
    .prefault({}),
  cache: cacheSchema,
  proxy: proxySchema,
  admin: adminSchema,
  notify: notifySchema,
  /**
   * Run after a promotion or a rollback that succeeded. A string runs in a shell, an array is an argv. Both
   * commands get `SLOTS_RELEASE`, `SLOTS_OUTCOME`, `SLOTS_TRIGGER`, `SLOTS_STAGE` and `SLOTS_ERROR`.
   */
  onPromoted: commandSchema.optional(),
  /** Run after a promotion or a rollback that failed. */
  onFailed: commandSchema.optional(),
  deploy: deploySchema.optional(),
  fleet: fleetSchema.optional(),
});

/** The config as a user writes it. */
export type UserConfig = z.input<typeof configSchema>;

type Parsed = z.output<typeof configSchema>;

/** A config with every default filled in and everything detected. */
export interface Config extends Parsed {
  name: string;
  build: string | string[] | false;
  copy?: Copy[] | undefined;
  entry: string;
  client: PresetClient[];
  fleet?: FleetConfig | undefined;
  /** The file that `single` leads to, relative to the folder that is served. */
  fallback?: string | undefined;
  /** The lock file that says what `install` installs, relative to the site; only where `install` is set. */
  lockFile?: string | undefined;
  /** The recognised framework, for people. */
  framework?: string | undefined;
  /** The framework's server changes into the release. */
  worksInRelease?: boolean | undefined;
  nodeArgs: string[];
  args: string[];
  envFiles: string[];
  /** Changes that the site needs before its framework can be served, as far as one can see. */
  todo?: string | undefined;
  /** Changes that some of the site needs, and what is good to know. */
  advice?: string | undefined;
}
