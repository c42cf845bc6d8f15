import type { HostValue } from '../../runtime/lua/values.ts';

/** What modules have to do with (a closed set, so that programs can ask for it). */
type ModuleClass =
  | 'deterministic'
  | 'nondeterministic'
  | 'encoding'
  | 'io'
  | 'network'
  | 'process'
  | 'security'
  | 'storage'
  | 'time';
interface Description {
  readonly description: string;
  readonly class: readonly ModuleClass[];
}

const about = (description: string, ...classes: readonly ModuleClass[]): Description => ({
  description,
  class: classes,
});

/** Every module that Perilune brings, by its name; a test compares them with what the engine knows. */
export const DESCRIPTIONS: Readonly<Record<string, Description>> = {
  cdc: about('Changes of databases, as they are committed', 'nondeterministic', 'io', 'storage'),
  channel: about('Channels between coroutines, and select', 'deterministic'),
  coroutine: about('Coroutines, and spawn', 'deterministic'),
  ctx: about('Values that calls inherit', 'deterministic'),
  env: about('Registered environment variables', 'nondeterministic', 'storage'),
  errors: about('Error values with kind, details and stack', 'deterministic'),
  events: about('The event bus', 'process'),
  funcs: about('Calls of functions, at once or in the background', 'nondeterministic', 'process'),
  http: about('The request and the response of an endpoint', 'nondeterministic', 'io', 'network'),
  http_client: about('Outgoing HTTP requests', 'nondeterministic', 'io', 'network'),
  io: about('The terminal of a command', 'nondeterministic', 'io'),
  json: about('JSON, and its schemas', 'deterministic', 'encoding'),
  logger: about('Log records', 'nondeterministic', 'io'),
  math: about('Mathematics', 'nondeterministic'),
  metrics: about('Counters, gauges and histograms', 'nondeterministic', 'io'),
  os: about('Time, date and platform', 'nondeterministic', 'time'),
  package: about('What require has loaded', 'deterministic'),
  payload: about('Values with their format', 'deterministic', 'encoding'),
  process: about('Processes, their messages and names', 'nondeterministic', 'process'),
  queue: about('Messages to and from queues', 'nondeterministic', 'io', 'storage'),
  security: about('Actors, scopes and policies', 'security'),
  sql: about('SQL databases, and a builder of queries', 'nondeterministic', 'io', 'storage'),
  store: about('Key-value stores', 'nondeterministic', 'io', 'storage'),
  string: about('Texts and patterns', 'deterministic'),
  system: about('Memory, services, hosts and the end of the program', 'nondeterministic', 'process'),
  table: about('Tables', 'deterministic'),
  time: about('Moments, durations, zones and timers', 'nondeterministic', 'time'),
  utf8: about('Texts as UTF-8', 'deterministic', 'encoding'),
};

/** `system.modules()`: ordered by name. What a host program adds has no description. */
export const moduleList = (names: Iterable<string>): HostValue =>
  [...names].sort().map((name) => ({
    name,
    description: DESCRIPTIONS[name]?.description ?? '',
    class: DESCRIPTIONS[name]?.class ?? [],
  }));
