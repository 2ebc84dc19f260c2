import { describe, expect, it } from 'vitest';
import { majorVersion, newestFirst, parseJavaSettings } from './java-version.js';

describe('a Java’s own account of itself', () => {
  it('is read from its settings, a home with spaces included', () => {
    const output = `Property settings:
    java.class.version = 69.0
    java.home = /opt/some jdk/25
    java.specification.version = 25
    java.version = 25.0.1
    java.version.date = 2025-10-21

openjdk version "25.0.1" 2025-10-21`;
    expect(parseJavaSettings(output)).toEqual({ home: '/opt/some jdk/25', version: '25.0.1' });
  });

  it('is nothing where another program answered', () => {
    expect(parseJavaSettings('Unable to locate a Java Runtime.')).toBeUndefined();
  });

  it.each([
    ['25', 25],
    ['25-ea', 25],
    ['21.0.9', 21],
    ['17.0.15+6', 17],
    ['1.8.0_392', 8],
  ])('%s is Java %i', (version, major) => {
    expect(majorVersion(version)).toBe(major);
  });

  it('looks at newer installations first', () => {
    expect(newestFirst(['jdk-9', 'jdk-21', 'jdk-17'])).toEqual(['jdk-21', 'jdk-17', 'jdk-9']);
  });
});
