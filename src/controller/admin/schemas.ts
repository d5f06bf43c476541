/** Schemas that several routes share. */
import { z } from 'zod';
import { RELEASE_ID } from '../../slots/release-id.ts';
import { SLOTS } from '../../slots/slot.ts';

export const count = z.int().min(0);
export const slot = z.enum(SLOTS);
export const perSlot = z.strictObject({ blue: count, green: count });
export const time = z.string().describe('ISO 8601, UTC');
export const releaseId = z.string().regex(RELEASE_ID);

export const orderAnswer = z
  .strictObject({ id: z.string().describe('of the promotion to be; status and history name it') })
  .meta({ id: 'Order' });

/** Of what is done on all machines of a fleet, unless it is asked for this one alone. */
export const localQuery = z.object({
  local: z
    .stringbool()
    .default(false)
    .describe('true: on this machine alone, where it belongs to a fleet'),
});

export const doneAnswer = z.strictObject({}).meta({ id: 'Done' });
