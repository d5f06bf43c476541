import { z } from 'zod';

/** Node's timers end at once when they are set to more. Some 24 days. */
export const LONGEST_MS = 2 ** 31 - 1;

/** A length of time in the config, in milliseconds. */
export const milliseconds = z.int().min(0).max(LONGEST_MS);
