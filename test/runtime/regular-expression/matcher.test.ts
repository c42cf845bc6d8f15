import { test } from 'tap';
import { systemClock } from '../../../runtime/clock.ts';
import { regularExpression } from '../../../runtime/regular-expression/matcher.ts';

/** [pattern, texts with a match, texts without]. */
const CASES: readonly (readonly [pattern: string, matches: readonly string[], others: readonly string[]])[] = [
  ['', ['', 'x'], []],
  ['b', ['b', 'abc'], ['', 'ac']],
  ['^ab', ['abc'], ['xab']],
  ['ab$', ['xab'], ['abx', 'ab\n']],
  ['^$', [''], ['x', '\n']],
  ['\\Aab\\z', ['ab'], ['xab', 'abx']],
  ['(?m)^b$', ['a\nb\nc', 'b'], ['a\nbc']],
  ['^a.c$', ['abc', 'a😀c'], ['ac', 'a\nc']],
  ['(?s)^a.c$', ['a\nc'], ['ac']],
  ['^(?:ab|cd)+$', ['ab', 'cdab'], ['', 'abc']],
  ['^(a|b|)c$', ['ac', 'bc', 'c'], ['abc']],
  ['^a*b+c?$', ['b', 'aabbc'], ['a', 'bcc']],
  ['^a{2}$', ['aa'], ['a', 'aaa']],
  ['^a{2,}$', ['aa', 'aaaa'], ['a']],
  ['^a{1,3}$', ['a', 'aaa'], ['', 'aaaa']],
  ['^(ab){0}$', [''], ['ab']],
  ['^a{,2}$', ['a{,2}'], ['a']],
  ['^a*?b$', ['aab'], ['aa']],
  ['^[a-c_]+$', ['ab_'], ['abd', '']],
  ['^[^a-c]$', ['d', '\n'], ['a']],
  ['^[]a]$', [']', 'a'], ['b']],
  ['^[a-]$', ['a', '-'], ['b']],
  ['^[\\d\\-x]+$', ['1-x'], ['y']],
  ['^[[:alpha:][:digit:]]+$', ['aZ9'], ['_']],
  ['^[[:^digit:]]$', ['a'], ['1']],
  ['^\\d\\D\\w\\W\\s\\S$', ['1a_- x'], ['aa_- x']],
  ['^\\s$', [' ', '\t'], ['\u00a0', '\v']],
  ['\\bcat\\b', ['a cat.', 'cat'], ['concat', 'cats']],
  ['\\Bcat', ['concat'], ['cat']],
  ['^\\p{Greek}+$', ['αβγ'], ['abc']],
  ['^\\pL\\PL$', ['a1', 'é-'], ['ab']],
  ['^\\p{Lu}\\p{^Lu}$', ['Aa'], ['AA']],
  ['^\\x41\\x{1F600}\\t\\.$', ['A😀\t.'], ['A']],
  ['^\\Qa.b*\\E+$', ['a.b**'], ['axb']],
  ['(?i)^straße$', ['STRAßE', 'Straße'], ['Strase']],
  ['^a(?i)b(?-i)c$', ['abc', 'aBc'], ['aBC', 'ABc']],
  ['^(?i:a)b$', ['Ab'], ['aB']],
  ['^(?P<year>\\d{4})-(?<month>\\d\\d)$', ['2026-11'], ['2026-1']],
  ['^(?U)a+$', ['aaa'], ['b']],
  ['é', ['café'], ['cafe']],
  ['^(a*)*$', ['', 'aaa'], ['b']],
  ['^(|a)+$', ['', 'aa'], ['b']],
  ['{', ['{'], ['}']],
];

test('a pattern matches what it should, and nothing else', async (t) => {
  for (const [pattern, matches, others] of CASES) {
    const isMatch = regularExpression(pattern);
    for (const text of matches) t.ok(isMatch(text), `/${pattern}/ in ${JSON.stringify(text)}`);
    for (const text of others) t.notOk(isMatch(text), `/${pattern}/ not in ${JSON.stringify(text)}`);
  }
});

test('what is no pattern, or has no bound in time, is refused with its reason', async (t) => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['(a', /'\(' without '\)'/],
    ['a)', /'\)' without '\('/],
    ['[a', /'\[' without '\]'/],
    ['[b-a]', /wrong way round/],
    ['*a', /nothing before '\*' to repeat/],
    ['a|+', /nothing before '\+'/],
    ['{2}', /nothing before '\{'/],
    ['a**', /repetition of a repetition/],
    ['a{2}{3}', /repetition of a repetition/],
    ['a{3,2}', /count upwards/],
    ['a{1001}', /1000 at most/],
    ['((a{100}){100}){100}', /too large/],
    ['(a)\\1', /back-references are not supported/],
    ['(?P<n>a)\\k<n>', /back-references are not supported/],
    ['(?=a)', /look-around is not supported/],
    ['(?!a)', /look-around is not supported/],
    ['(?<=a)b', /look-around is not supported/],
    ['(?<!a)b', /look-around is not supported/],
    ['(?x)a', /unknown group/],
    ['\\y', /unknown escape '\\y'/],
    ['a\\', /backslash at the end/],
    ['\\p{Nonsense}', /unknown Unicode class 'Nonsense'/],
    ['[[:nonsense:]]', /unknown class/],
    ['\\x{110000}', /hex digits/],
    [`${'('.repeat(300)}${')'.repeat(300)}`, /nested deeper/],
  ];
  for (const [pattern, message] of cases) t.throws(() => regularExpression(pattern), { message }, pattern);
});

test('time grows with the length of the text, whatever the pattern', async (t) => {
  const clock = systemClock();
  for (const pattern of ['^(a+)+$', '^(a|a)*$', '^(.*)*x$', '(a*)*(a*)*b', '(x+x+)+y']) {
    const isMatch = regularExpression(pattern);
    const begin = clock.now();
    t.notOk(isMatch(`${'a'.repeat(20_000)}!`), pattern);
    t.ok(clock.now() - begin < 5000, `${pattern} in time`); // JavaScript's own engine takes for ever from 40 letters on
  }
});
