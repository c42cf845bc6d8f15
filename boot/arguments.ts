import { parseArgs } from 'node:util';

/** What a command line asks for. */
export interface CommandLine {
  readonly command: 'run' | 'validate' | 'invoke' | 'queue' | 'test' | 'version' | 'help';
  readonly positionals: readonly string[];
  readonly configFiles: readonly string[];
  /** `section.path=value`, in order. */
  readonly sets: readonly string[];
  /** `ns:entry:field.path=value`, in order. */
  readonly overrides: readonly string[];
  readonly explain: boolean;
  /** One JSON object a line. */
  readonly json: boolean;
  readonly filter: string | undefined;
  readonly reporter: 'pretty' | 'tap' | 'json';
  /** From `-c`, `-s`, `-v`, `--very-verbose`. */
  readonly log: 'default' | 'console' | 'silent' | 'verbose';
  readonly execute: string | undefined;
  /** Id of the terminal host that a command runs on. */
  readonly host: string | undefined;
}

/** Wrong words on the command line: printed with a hint, exit code 2. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

const COMMANDS = ['run', 'validate', 'invoke', 'test', 'queue'] as const;
const REPORTERS = ['pretty', 'tap', 'json'] as const;

/** @throws UsageError */
export const parseCommandLine = (argv: readonly string[]): CommandLine => {
  const first = argv[0];
  if (first === undefined || first === '--help' || first === '-h' || first === 'help') return plain('help');
  if (first === '--version') return plain('version');
  const command = COMMANDS.find((one) => one === first);
  if (command === undefined) {
    const kind = first.startsWith('-') ? 'option' : 'command';
    throw new UsageError(`unknown ${kind} "${first}". Commands: ${COMMANDS.join(', ')}; see perilune --help.`);
  }
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(argv.slice(1));
  } catch (error) {
    throw new UsageError(`${(error as Error).message}. See perilune --help.`);
  }
  const { values, positionals } = parsed;
  if (values.help === true) return plain('help');
  if (values.version === true) return plain('version');
  const reporter = REPORTERS.find((one) => one === (values.reporter ?? 'pretty'));
  if (reporter === undefined) {
    throw new UsageError(`--reporter: expected ${REPORTERS.join(', ')}, got "${values.reporter}".`);
  }
  return {
    command,
    positionals,
    configFiles: values.config ?? [],
    sets: values.set ?? [],
    overrides: values.override ?? [],
    explain: values.explain ?? false,
    json: values.json ?? false,
    filter: values.filter,
    reporter,
    log: logMode(values),
    execute: values.exec,
    host: values.host,
  };
};

const parse = (args: string[]) =>
  parseArgs({
    args,
    allowPositionals: true,
    options: {
      config: { type: 'string', multiple: true },
      set: { type: 'string', multiple: true },
      override: { type: 'string', short: 'o', multiple: true },
      exec: { type: 'string', short: 'x' },
      explain: { type: 'boolean' },
      json: { type: 'boolean' },
      filter: { type: 'string' },
      reporter: { type: 'string' },
      console: { type: 'boolean', short: 'c' },
      silent: { type: 'boolean', short: 's' },
      verbose: { type: 'boolean', short: 'v' },
      'very-verbose': { type: 'boolean' },
      host: { type: 'string' },
      // Wippy's, accepted without effect: there are no event streams, profiles or memory limits here yet.
      events: { type: 'boolean', short: 'e' },
      profiler: { type: 'boolean', short: 'p' },
      memory: { type: 'string', short: 'm' },
      help: { type: 'boolean', short: 'h' },
      version: { type: 'boolean' },
    },
  });

const logMode = (values: ReturnType<typeof parse>['values']): CommandLine['log'] => {
  if (values.silent === true) return 'silent';
  if (values.verbose === true || values['very-verbose'] === true) return 'verbose';
  return values.console === true ? 'console' : 'default';
};

const plain = (command: 'version' | 'help'): CommandLine => ({
  command,
  positionals: [],
  configFiles: [],
  sets: [],
  overrides: [],
  explain: false,
  json: false,
  filter: undefined,
  reporter: 'pretty',
  log: 'default',
  execute: undefined,
  host: undefined,
});

export const HELP = `perilune: traced and metered Lua functions

  perilune run [<dir>=.]              serve the app; SIGTERM or Ctrl-C stops it
  perilune run [<dir>] list           the app's commands
  perilune run [<dir>] <command> ...  run one of them on the terminal, exit with its code
      -x <id>, --exec <id>              a process by its id instead of a command's name
      --host <id>                       the terminal host, where there are several
  perilune validate <dir> [--explain] check everything; --explain shows every value and where it came from
  perilune invoke <dir> <id> [json..] call one function; the result is one line of JSON
  perilune queue list|peek|replay <dir> <queue> [id..]
                                      what waits in a queue; its first message; put dead letters back (--json)
  perilune test <dir>                 run the functions whose meta.type is "test"
      --filter <text>                   only those whose id or suite holds it
      --reporter pretty|tap|json
  perilune --version | --help

Options of all commands
  --config <file>            boot file (repeatable, later wins); default <dir>/perilune.yaml
  --set <section.path=value> one boot setting; beats files and environment
  -o <id:field=value>        one field of one entry
  -c, -s, -v                 console log, no log, debug log; a command is silent without -c or -v
  --                         what follows is no option

Exit codes: 0 done; 1 a start or run failure; 2 usage, boot file, declarations or Lua syntax; a command's own.
`;
