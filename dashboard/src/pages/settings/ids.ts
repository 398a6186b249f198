// What is made from a name that a person gave, or gave to two things.

/** `wanted`, or with the first number from 2 that nothing else has. */
export function untaken(wanted: string, taken: ReadonlySet<string>): string {
  let id = wanted;
  for (let number = 2; taken.has(id); number += 1) id = `${wanted}${number}`;
  return id;
}
