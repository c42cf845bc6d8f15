import { test } from 'tap';
import { exponentialNameProblems } from '../../boot/exponential-names.ts';

const METRICS = [
  { name: 'wippy_function_duration', kind: 'histogram' },
  { name: 'wippy_queue_wait_seconds', kind: 'histogram' },
  { name: 'wippy_function_calls', kind: 'counter' },
  { name: 'nodejs_gc_duration_seconds', kind: 'histogram' },
];
const problems = (names: readonly string[], sources: readonly string[] = []): readonly string[] =>
  exponentialNameProblems(names, 'wippy', METRICS, sources);

test('names of histograms are right, with and without a namespace of their own', async (t) => {
  t.same(problems(['function_duration', 'nodejs_gc_duration_seconds']), []);
});

test('a name that no metric has is told, with the nearest histogram', async (t) => {
  t.same(problems(['functions_duration', 'wippy_queue_wait_seconds', 'orders.size']), [
    "metrics.exponential_histograms: no metric is called 'functions_duration'. Did you mean 'function_duration'?",
    "metrics.exponential_histograms: no metric is called 'wippy_queue_wait_seconds'. Did you mean 'queue_wait_seconds'?",
    "metrics.exponential_histograms: no metric is called 'orders.size'.",
  ]);
});

test('a name that a Lua source has is one that a handler makes', async (t) => {
  t.same(problems(['orders.size'], ["metrics.histogram('orders.size', 1)"]), []);
});

test('what is no histogram is told', async (t) => {
  t.same(problems(['function_calls']), [
    "metrics.exponential_histograms: 'function_calls' is no histogram and stays as it is. Remove it.",
  ]);
});
