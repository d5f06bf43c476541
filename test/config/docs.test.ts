import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { docComments } from '../../scripts/doc-comments.ts';
import { configurationPage } from '../../scripts/docs.ts';
import { tempFolder } from '../support/temp-folder.ts';

test('docs/configuration.md is what `npm run docs` writes', () => {
  const { wanted, found } = configurationPage();
  expect(found, 'stale: run `npm run docs`').toBe(wanted);
});

test('doc comments are found by key, in groups, lists and schemas of other files', async () => {
  const folder = await tempFolder();
  await writeFile(
    join(folder, 'schema.ts'),
    `const port = 1;

export const configSchema = z.strictObject({
  /** A name. */
  name: name.optional(),
  /**
   * Two
   * lines.
   */
  group: z
    .strictObject({
      /** Inside. */
      inner: z.int(),
    })
    .prefault({}),
  bare: z.int(),
  other: otherSchema,
  list: listSchema,
});

export interface Config {
  name: string;
}
`,
  );
  await writeFile(
    join(folder, 'other-schema.ts'),
    `/** \`other\` of the config: what is elsewhere. */
export const otherSchema = z.strictObject({
  /** Deep. */
  key: z.string(),
});

/** Several. */
const listSchema = z.array(
  z.strictObject({
    /** Where. */
    url: z.string(),
  }),
);
`,
  );
  expect(Object.fromEntries(docComments(folder, 'configSchema'))).toEqual({
    name: 'A name.',
    group: 'Two lines.',
    'group.inner': 'Inside.',
    other: 'What is elsewhere.',
    'other.key': 'Deep.',
    list: 'Several.',
    'list.url': 'Where.',
  });
});
