import { expect, test } from 'vitest';
import {
  dayName,
  dayStartInterval,
  hourOfDay,
  hourPath,
  hoursSinceEpoch,
  intervalNumber,
  keyEndSeconds,
  parseDayName,
  utcDay,
  utcDayOfInterval,
} from './intervals.ts';

test('P C-1: 2020-04-02T00:00:00Z is interval 2642976, the second before it is the interval before', () => {
  expect(intervalNumber(1_585_785_600)).toBe(2_642_976);
  expect(intervalNumber(1_585_785_599)).toBe(2_642_975);
});

test('P C-2, C-3: a key starts at midnight UTC and its end is exclusive', () => {
  expect(dayStartInterval(2_642_976 + 143)).toBe(2_642_976);
  expect(dayStartInterval(2_642_976 + 144)).toBe(2_643_120);
  expect(keyEndSeconds(2_642_976, 144)).toBe(1_585_785_600 + 86_400);
  expect(utcDayOfInterval(2_642_976)).toBe(utcDay(1_585_785_600));
});

test('D 2.7: day names are ISO dates, hour names carry no leading zero', () => {
  expect(dayName(utcDay(1_599_955_200))).toBe('2020-09-13');
  expect(hourPath(hoursSinceEpoch(1_599_955_200 + 9 * 3600))).toBe('2020-09-13/hour/9');
  expect(hourPath(hoursSinceEpoch(1_599_955_200 + 23 * 3600 + 3599))).toBe('2020-09-13/hour/23');
  expect(hourOfDay(0)).toBe(0);
});

test.each(['2020-9-13', '2020-02-30', '2020-13-01', ' 2020-09-13', '2020-09-13T00', ''])(
  'a day name %j is refused',
  (name) => {
    expect(parseDayName(name)).toBeUndefined();
  },
);

test('a day name is read back', () => {
  expect(parseDayName('2020-09-13')).toBe(utcDay(1_599_955_200));
});
