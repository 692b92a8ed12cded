import { test } from 'tap'
import { innerDoor, putDoor, takeDoor } from '../src/doors.ts'

class Socket {
  write(): string {
    return 'bare'
  }
}
const door = () => 'guarded'
const accessor: PropertyDescriptor = { configurable: true, enumerable: true, get: () => door, set: () => {} }
const found = () => ({ found: null as PropertyDescriptorMap | null })

for (const [kind, put] of [
  ['a function', door],
  ['an accessor', accessor],
] as const) {
  test(`${kind} stands in for an inherited method and leaves nothing behind`, async (t) => {
    const socket = new Socket()
    const guard = found()
    putDoor(socket, guard, 'write', put)
    t.equal(socket.write(), 'guarded')
    t.equal(guard.found, null)
    t.equal(innerDoor(socket, guard, 'write'), Socket.prototype.write)
    takeDoor(socket, guard, 'write', put)
    t.strictSame(Reflect.ownKeys(socket), [])
  })

  test(`${kind} stands in for an own method and puts it back as it was`, async (t) => {
    const socket = new Socket()
    const own = { value: () => 'own', configurable: true, enumerable: false, writable: false }
    Object.defineProperty(socket, 'write', own)
    const guard = found()
    if (typeof put === 'function') Object.defineProperty(socket, 'write', { writable: true })
    const before = Object.getOwnPropertyDescriptor(socket, 'write')
    putDoor(socket, guard, 'write', put)
    t.equal(socket.write(), 'guarded')
    t.equal(innerDoor(socket, guard, 'write'), own.value)
    takeDoor(socket, guard, 'write', put)
    t.strictSame(Object.getOwnPropertyDescriptor(socket, 'write'), before)
  })

  test(`${kind} that somebody replaced since is theirs and stays`, async (t) => {
    const socket = new Socket()
    const guard = found()
    putDoor(socket, guard, 'write', put)
    const theirs = { value: () => 'theirs', configurable: true, enumerable: true, writable: true }
    Object.defineProperty(socket, 'write', theirs)
    takeDoor(socket, guard, 'write', put)
    t.strictSame(Object.getOwnPropertyDescriptor(socket, 'write'), theirs)
  })

  test(`${kind} that somebody deleted since stays deleted`, async (t) => {
    const socket = new Socket()
    const guard = found()
    putDoor(socket, guard, 'write', put)
    Reflect.deleteProperty(socket, 'write')
    takeDoor(socket, guard, 'write', put)
    t.strictSame(Reflect.ownKeys(socket), [])
  })
}

test('without a guard the inner door is the inherited one', async (t) => {
  t.equal(innerDoor(new Socket(), undefined, 'write'), Socket.prototype.write)
})
