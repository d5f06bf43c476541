/** Version 1 of state.json, in which a promotion had every field in every stage, many of them `null`. */
import { z } from 'zod';
import {
  baseSchema,
  releaseSchema,
  STATE_VERSION,
  slotSchema,
  stageErrorSchema,
  stageSchema,
  stateSchema,
} from './state-schema.ts';

const promotionSchema = baseSchema.extend({
  stage: stageSchema,
  release: releaseSchema.nullable(),
  slot: slotSchema.nullable(),
  previousRelease: releaseSchema.nullable(),
  failure: stageErrorSchema.nullable(),
});

/**
 * Reads a version 1 file as version 2, to be parsed as such: a stage without the slot or the release that it must
 * have is refused there.
 */
export const stateFromVersion1 = stateSchema
  .extend({ version: z.literal(1), promotion: promotionSchema.nullable() })
  .transform(({ promotion, ...state }): unknown => ({
    ...state,
    version: STATE_VERSION,
    promotion: promotion && toVersion2(promotion),
  }));

function toVersion2(old: z.output<typeof promotionSchema>): unknown {
  const { stage, slot, previousRelease: previous, failure, ...kept } = old;
  if (failure) return { ...kept, step: 'put back', slot, previous, failure };
  if (stage === 'build') return { ...kept, step: 'build' };
  return { ...kept, step: stage, slot, previous };
}
