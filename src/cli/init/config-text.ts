import type { Preset } from '../../config/presets/preset.ts';

export interface HttpsChoice {
  hosts: string[];
  email: string;
}

export interface ConfigChoice {
  preset: Preset | null;
  /** Only where package.json has none that PM2 could use. */
  name: string | null;
  /** Values from the command line, which go over the preset. */
  build?: string | undefined;
  entry?: string | undefined;
  /** The preset is what the command line says, which nothing would find again: it is written out. */
  isGiven?: boolean;
  /** Hosts to order certificates for, on the ports 443 and 80. */
  https?: HttpsChoice | null;
  /** Whether the site can import `two-slots`; the config goes without its types otherwise. */
  hasPackage: boolean;
}

/** A short slots.config.ts: what differs from the preset is set, the rest is there to be uncommented. */
export function configText({
  preset,
  name,
  build,
  entry,
  isGiven,
  https,
  hasPackage,
}: ConfigChoice): string {
  const lines = [
    ...(name === null ? [] : [`// Prefix of the PM2 apps.`, `name: ${quote(name)},`]),
    '// Files and folders whose changes are built and go live; `slots promote` does the same by hand.',
    line(
      'watch',
      isGiven ? preset?.watch : undefined,
      preset?.watch ?? ['content', 'src', 'public'],
    ),
    ...(preset?.build === false && build === undefined
      ? [
          '// Nothing is built: these files are copied into each release.',
          line('build', isGiven ? false : undefined, false),
          line('copy', isGiven ? preset.copy : undefined, preset.copy),
        ]
      : ['// Builds the site into {outDir}.', line('build', build, preset?.build)]),
    '// What is started, relative to the output of the build.',
    line('entry', entry ?? (isGiven ? preset?.entry : undefined), preset?.entry),
    '// Where visitors come in, and how many processes each slot has; each has a memory of its own.',
    ...(https ? httpsLines(https) : ['// ports: { proxy: 4321 },']),
    '// instances: 2,',
  ];
  const head = preset
    ? `// Found: ${preset.name}. What is commented out is what slots does anyway; uncomment a line to change it.`
    : '// What is commented out is what slots does anyway; uncomment a line to change it.';
  const body = lines.map((text) => `  ${text}`).join('\n');
  return hasPackage
    ? `import { defineConfig } from 'two-slots';\n\n${head}\nexport default defineConfig({\n${body}\n});\n`
    : `${head}\nexport default {\n${body}\n};\n`;
}

/** `agreeTos` stands there since the command line has said so. */
function httpsLines({ hosts, email }: HttpsChoice): string[] {
  const acme = literal({ email, agreeTos: true, hosts });
  return [
    'ports: { proxy: 443 },',
    '// Certificates are ordered and renewed; port 80 answers the CA and sends visitors to HTTPS.',
    `proxy: { tls: { acme: ${acme}, redirectHttp: 80 } },`,
  ];
}

function line(key: string, own: unknown, usual: unknown): string {
  return own === undefined ? `// ${key}: ${literal(usual)},` : `${key}: ${literal(own)},`;
}

/** As a person would write it in TypeScript. */
function literal(value: unknown): string {
  if (typeof value === 'string') return quote(value);
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const entries = Object.entries(value).map(([key, item]) => `${key}: ${literal(item)}`);
  return `{ ${entries.join(', ')} }`;
}

function quote(text: string): string {
  return /['\\\n]/.test(text) ? JSON.stringify(text) : `'${text}'`;
}
