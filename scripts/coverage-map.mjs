// Which sources a test file must cover; the sum over all test files has to be 100 %. Only core is held to it, by its own
// tests and by those that run the same sentences over every transport; whatever else touches core does not count.
const core = 'packages/core/src/**/*.ts'

/** @param {string} test path of a test file, from the root */
export default (test) => (/^(packages\/core\/test|test\/(conformance|law))\b/.test(test) ? core : null)
