import { test } from 'tap';
import { read, shop } from '../../boot/declarations/read.ts';

/** A policy of these keys, and one condition. */
const policy = (name: string, keys: string, conditions?: string): string => {
  const more = conditions === undefined ? '' : `, conditions: [${conditions}]`;
  return `{ name: ${name}, kind: security.policy, policy: { ${keys}${more} } }`;
};
const FULL = 'actions: a, resources: r, effect: allow';
/** What comes behind `shop/_index.yaml:L:C: entries[i].`. */
const told = (texts: readonly string[]): string[] => texts.map((text) => text.replace(/^\S+ entries\[\d+\]\.?/, ''));

test('policies as they should be load without a word', async (t) => {
  const { problems } = read(
    t,
    shop(
      policy('a', FULL),
      policy('b', 'actions: [a, "b.*", "*"], resources: ["", "r:*"], effect: deny'),
      '{ name: c, kind: security.policy, groups: [x, "other:y"], policy: { actions: a, resources: r, effect: allow } }',
      policy(
        'd',
        FULL,
        '{ field: actor.id, operator: eq, value: x }, { field: actor.meta.a.b, operator: in, value: [1, x] }, { field: meta.a, operator: exists, value: false }, { field: action, operator: ne, value_from: resource }, { field: meta.n, operator: lt, value: 0 }, { field: meta.f, operator: eq, value: false }',
      ),
    ),
  );
  t.strictSame(problems, []);
});

test('a bad policy is refused at its field, with what to write instead', async (t) => {
  const { errors } = read(
    t,
    shop(
      '{ name: a, kind: security.policy }',
      policy('b', 'actions: a, resources: r'),
      policy('c', 'resources: r, effect: permit'),
      policy('d', 'actions: "", resources: [], effect: allow'),
      policy('e', 'actions: [], resources: 5, effect: allow'),
      policy('f', 'actions: [a, ""], resources: [r, 5], effect: allow'),
      '{ name: g, kind: security.policy, groups: ["", x], policy: { actions: a, resources: r, effect: allow } }',
      '{ name: h, kind: security.policy, groups: x, policy: { actions: a, resources: r, effect: allow } }',
    ),
  );
  const patterns = (key: string) =>
    `policy.${key}: policy.${key} must be a pattern or a non-empty list of patterns, such as ["app:*"]`;
  t.strictSame(told(errors), [
    'policy: policy is required: a map with actions, resources and effect',
    'policy.effect: policy.effect must be allow or deny',
    patterns('actions'),
    'policy.effect: policy.effect must be allow or deny',
    patterns('actions'),
    patterns('resources'),
    patterns('actions'),
    patterns('resources'),
    patterns('actions'),
    patterns('resources'),
    'groups[0]: the name of a group cannot be empty',
    'groups: expected a list, got "x"',
  ]);
  t.match(errors[1], /^shop\/_index\.yaml:4:\d+: entries\[1\]\./, 'with file and place');
});

test('a bad condition is refused at its field', async (t) => {
  const cases: readonly (readonly [condition: string, message: string])[] = [
    [
      '{ operator: eq, value: 1 }',
      'field: field is required: one of actor.id, actor.meta.<k>, meta.<k>, action, resource',
    ],
    ['{ field: "", operator: eq, value: 1 }', 'field: field is required'],
    ['{ field: actor, operator: eq, value: 1 }', "field: 'actor' names nothing that a condition can read"],
    ['{ field: actor.name, operator: eq, value: 1 }', "field: 'actor.name' names nothing"],
    ['{ field: meta, operator: eq, value: 1 }', "field: 'meta' names nothing"],
    ['{ field: meta.a..b, operator: eq, value: 1 }', "field: 'meta.a..b' names nothing"],
    ['{ field: action, value: 1 }', 'operator: operator is required: one of eq, ne, lt'],
    ['{ field: action, operator: equals, value: 1 }', "operator: unknown operator 'equals'. Use one of eq, ne"],
    ['{ field: action, operator: exist, value: true }', "Did you mean 'exists'?"],
    ['{ field: action, operator: eq }', 'conditions[0]: value is required: give value or value_from'],
    ['{ field: action, operator: exists }', 'conditions[0]: value is required'],
    ['{ field: action, operator: eq, value: null }', 'conditions[0]: value is required'],
    ['{ field: action, operator: eq, value_from: "" }', 'value_from: value_from is required'],
    ['{ field: action, operator: eq, value_from: actor }', "value_from: 'actor' names nothing"],
    ['{ field: action, operator: eq, value: 1, value_from: resource }', 'exclude each other'],
    ['{ field: action, operator: exists, value: yes please }', 'value: exists compares with true or false'],
    ['{ field: action, operator: nexists, value: 1 }', 'value: nexists compares with true or false'],
    ['{ field: action, operator: in, value: a }', 'value: in compares with a list'],
    ['{ field: action, operator: nin, value: { a: 1 } }', 'value: nin compares with a list'],
    ['{ field: action, operator: lt, value: [1] }', 'value: lt compares numbers or texts'],
    ['{ field: action, operator: gte, value: true }', 'value: gte compares numbers or texts'],
    ['{ field: action, operator: matches, value: 5 }', 'value: matches compares with a regular expression'],
    ['{ field: action, operator: matches, value: "(" }', "value: '(' is no regular expression (RE2): '(' without ')'"],
    ['{ field: action, operator: nmatches, value: "(?=a)" }', 'look-around is not supported'],
    ["{ field: action, operator: matches, value: '(a)\\1' }", 'back-references are not supported'],
  ];
  const { problems } = read(t, shop(...cases.map(([one], i) => policy(`p${i}`, FULL, one))));
  for (const [i, [condition, message]] of cases.entries()) {
    const own = problems.filter(({ path }) => path.startsWith(`entries[${i}].`));
    t.equal(own.length, 1, condition);
    t.equal(own[0]?.line, i + 3, 'its line');
    const text = `${own[0]?.path}: ${own[0]?.message}`;
    t.ok(text.startsWith(`entries[${i}].policy.conditions[0]`) && text.includes(message), text);
  }
});

test('a star that stands for nothing is a warning, and so is a key that is none', async (t) => {
  const { errors, warnings } = read(
    t,
    shop(policy('a', 'actions: "*.read", resources: [a*b, "a**"], effect: allow, condition: []')),
  );
  t.strictSame(errors, []);
  t.strictSame(told(warnings), [
    "policy.actions: '*.read' is compared as it is: only a '*' at the end stands for other characters",
    "policy.resources: 'a*b' is compared as it is: only a '*' at the end stands for other characters",
    "policy.resources: 'a**' is compared as it is: only a '*' at the end stands for other characters",
    "policy.condition: unknown key, ignored. Did you mean 'conditions'?",
  ]);
});

const service = (security: string): string =>
  `{ name: s, kind: http.service, addr: ":0", lifecycle: { security: { ${security} } } }`;

test("a service's policies and groups are looked for in its own namespace first, and must exist", async (t) => {
  const member =
    '{ name: m, kind: security.policy, groups: [staff], policy: { actions: a, resources: r, effect: allow } }';
  const good = read(
    t,
    shop(member, service('actor: { id: x }, policies: [m, "shop:m"], groups: [staff, "shop:staff"]')),
  );
  t.strictSame(good.problems, []);
  const [declared] = good.registry.declared<{ lifecycle: { security?: unknown } }>('http.service');
  t.match(declared?.config.lifecycle.security, {
    policies: ['shop:m', 'shop:m'],
    groups: ['shop:staff', 'shop:staff'],
  });
  const bad = read(t, shop(member, service('policies: [gone, s], groups: [stuff]')));
  t.strictSame(told(bad.errors), [
    'lifecycle.security.policies[0]: shop:s refers to shop:gone, which does not exist.',
    'lifecycle.security.policies[1]: shop:s refers to shop:s, which is of kind http.service; expected security.policy',
    'lifecycle.security.groups[0]: no policy mentions the group shop:stuff. Name it in the groups of a security.policy, or remove it here.',
  ]);
  t.match(bad.errors[2], /^shop\/_index\.yaml:4:\d+: entries\[1\]\./);
});
