/** The part of a guard that remembers what stood on the socket. */
interface Found {
  found: PropertyDescriptorMap | null
}

type Door = PropertyDescriptor | ((this: never, ...args: never[]) => unknown)

/** The own property of `target` called `name` that a guard stands in for is kept, to be put back. */
export function putDoor(target: object, guard: Found, name: string, door: Door): void {
  const found = Object.getOwnPropertyDescriptor(target, name)
  if (found !== undefined) {
    guard.found ??= {}
    guard.found[name] = found
  }
  if (typeof door === 'object') Object.defineProperty(target, name, door)
  else if (found === undefined)
    (target as Record<string, unknown>)[name] = door // faster than a definition
  else
    Object.defineProperty(target, name, { configurable: true, enumerable: true, writable: true, value: door })
}

/**
 * Puts back what was found. A door that somebody has replaced since is theirs and stays; it will call ours, which is a
 * bare call on a socket without a guard.
 */
export function takeDoor(target: object, guard: Found, name: string, door: Door): void {
  const now = Object.getOwnPropertyDescriptor(target, name)
  if ((typeof door === 'object' ? now?.get !== door.get : now?.value !== door) || now === undefined) return
  const found = guard.found?.[name]
  if (found === undefined) delete (target as Record<string, unknown>)[name]
  else Object.defineProperty(target, name, found)
}

/** What the guarded door called `name` has to call. */
export function innerDoor(target: object, guard: Found | undefined, name: string): unknown {
  const found = guard?.found?.[name]
  if (found === undefined) return Object.getPrototypeOf(target)[name]
  return found.get === undefined ? found.value : found.get.call(target)
}
