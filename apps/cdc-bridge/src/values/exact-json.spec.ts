import { expect, it } from 'vitest';
import { exactJson } from './exact-json.js';

it('keeps the text of a number that a double would alter', () => {
  const text = `{"id": 5, "whole": 1152921504606846977, "scale": 900.0000, "half": -0.5, "wide": [1e400],
    "nested": {"__proto__": 1.10, "text": "1.10", "none": null, "yes": true}}`;
  expect(exactJson(text)).toEqual({
    id: 5,
    whole: '1152921504606846977',
    scale: '900.0000',
    half: -0.5,
    wide: ['1e400'],
    nested: JSON.parse('{"__proto__": "1.10", "text": "1.10", "none": null, "yes": true}'),
  });
});
