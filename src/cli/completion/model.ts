/** A command as a shell completes it. */
export interface CompletedCommand {
  name: string;
  description: string;
  options: CompletedOption[];
  /** Words that may follow; `releases` asks slots for the ids of those kept. */
  words: string[] | 'releases';
}

export interface CompletedOption {
  short: string | null;
  long: string;
  description: string;
  takesValue: boolean;
  takesFolder: boolean;
}

export interface CompletionModel {
  commands: CompletedCommand[];
  /** Options that stand before the command. */
  options: CompletedOption[];
}
