"""The debug heap of spanguard, seen from gdb: in a live process and in a core file.

    heap why ADDRESS     the block that the address lies in, or is nearest to, and what became of it
    heap check           every block whose surroundings, or whose freed bytes, were written to
    heap list            bytes in use, by the place that allocated them; the largest first
      --site TEXT        each block for which TEXT is in a function's or a file's name of its stack
      --freed            the freed blocks that are held, instead of those in use

`break spanguard_on_report` stops at each report. Nothing here calls into the program. It needs the
debugging information of libspanguard-debug.so, not that of the program. Of core files it wants those that the
kernel writes; for gdb's own (generate-core-file) the process must have run with guard_madvise=0.
"""
import struct

import gdb

CHUNK_RECORDS = 1 << 15  # of record.c
FRONT, BEHIND = 0x5B, 0x5C  # of redzone.h
FREED_BYTES_MAX = 1 << 20  # longer freed blocks are filled at both ends only
NO_FILL = 256
NEAR_BYTES = 72 << 10  # as for reports, record_around.c
PROFILE_GUARD = 4
STATES = ("none", "live", "busy", "freed", "gone")
HELD = ("live", "busy", "freed")
NAME_BYTES = 64
SITES_SHOWN = 20
BLOCKS_SHOWN = 50


def variable(place):
    try:
        return gdb.parse_and_eval(place)
    except gdb.error as error:
        raise gdb.GdbError(f"libspanguard-debug.so is not loaded, or without debugging "
                           f"information: {error}") from None


def read(address, length):
    """None: not all of it can be read."""
    try:
        return bytes(gdb.selected_inferior().read_memory(address, length))
    except gdb.MemoryError:
        return None


def option(name):
    return int(variable(f"sg_options.{name}"))


def plural(count, what="byte"):
    return f"{count:,} {what}{'' if count == 1 else 's'}"


class Layout:
    """The fields of struct record, by debugging information."""

    def __init__(self):
        record = variable("((struct record *)0)").type.target()
        self.bytes = record.sizeof
        self.fields = {field.name: (field.bitpos, field.bitsize or field.type.sizeof * 8)
                       for field in record.fields()}

    def number(self, value, name):
        first, bits = self.fields[name]
        return value >> first & (1 << bits) - 1


class Record:
    """A block, as its record says. Fields have the names that record.h gives them."""

    def __init__(self, layout, data, base):
        value = int.from_bytes(data[base:base + layout.bytes], "little")
        for name in layout.fields:
            setattr(self, name, layout.number(value, name))
        self.state_name = STATES[self.state] if self.state < len(STATES) else "damaged"

    @property
    def end(self):
        return self.start + self.bytes

    @property
    def is_held(self):
        return self.state_name in HELD

    def distance(self, address):
        """0: inside, or among the watched bytes around it."""
        if self.start - self.front_bytes <= address < self.end + self.behind_bytes:
            return 0
        return self.start - address if address < self.start else address - self.end + 1


def records():
    """Of all blocks that are or were there."""
    layout, chunks = Layout(), variable("'debug/record.c'::chunks")
    for number in range(chunks.type.range()[1] + 1):
        address = int(chunks[number])
        data = read(address, layout.bytes * CHUNK_RECORDS) if address else None
        if data is None:
            return  # they are made in order
        for base in range(0, len(data), layout.bytes):
            record = Record(layout, data, base)
            if record.start != 0 and record.state_name != "none":
                yield record


def frames(stack):
    """Return addresses, innermost first and up to main, of a number of the stack depot."""
    if stack == 0:
        return []
    chunk = int(variable("'debug/depot.c'::chunks")[stack >> 16])
    head = read(chunk + (stack & 0xFFFF) * 16, 32) if chunk else None
    if head is None:
        return []
    count = struct.unpack_from("<I", head, 4)[0]
    data = read(chunk + (stack & 0xFFFF) * 16 + 24, 8 * count) if count <= 32 else None
    found = list(struct.unpack(f"<{count}Q", data)) if data else []
    main = next((i for i, at in enumerate(found) if function_at(at - 1) == "main"), len(found))
    return found[:main + 1]


def function_at(address):
    block = gdb.block_for_pc(address)
    while block is not None and block.function is None:
        block = block.superblock
    if block is not None:
        return block.function.name
    text = gdb.execute(f"info symbol {address:#x}", to_string=True)
    return text.split(" in section ")[0] if " in section " in text else f"{address:#x}"


def place(returned):
    """As gdb writes places: function (file:line)."""
    line = gdb.find_pc_line(returned - 1)
    where = f" ({line.symtab.filename}:{line.line})" if line.symtab is not None else ""
    return function_at(returned - 1) + where


def name_of(number):
    """What the program called, by its number in the table of record_name.c."""
    address = int(variable("'debug/record_name.c'::names")[number])
    data = read(address, NAME_BYTES) if address else None
    return data.split(b"\0")[0].decode(errors="replace") if data else "?"


def print_event(title, called, thread, stack):
    print(f"  {title:<10}by {name_of(called)}, thread {thread}")
    found = frames(stack)
    for returned in found:
        print(f"    {place(returned)}")
    if not found:
        print("    no stack was recorded (stack_depth=0)")


def print_record(record):
    print(f"  block     {plural(record.bytes)} at {record.start:#x}, {record.state_name}, "
          f"allocation #{record.sequence}")
    print_event("made", record.made_by, record.made_thread, record.made_stack)
    if record.state_name not in ("freed", "gone"):
        return
    print_event("ended", record.ended_by, record.ended_thread, record.ended_stack)
    if record.moved_to != 0:
        moved = next((one for one in records() if one.number == record.moved_to), None)
        print(f"  moved to  {moved.start:#x}" if moved else "  moved")


def position(record, address):
    if address < record.start:
        return f"{plural(record.start - address)} before"
    if address >= record.end:
        return f"{plural(address - record.end)} past the end of"
    return f"{plural(address - record.start)} inside"


def rank(record, address, is_guard):
    """The best comes first; as sg_record_around() has it."""
    distance = record.distance(address)
    if distance == 0 and (record.is_held or is_guard):
        return (0 if record.is_held else 1, 0, -record.sequence)
    return (2 if record.is_held else 3, distance, -record.sequence)


def damage(record, offset, length, expected):
    """Offsets of the bytes that are not what they should be."""
    data = read(record.start + offset, length) if length > 0 else b""
    if data is None or data == bytes([expected]) * length:
        return []
    return [offset + i for i, byte in enumerate(data) if byte != expected]


def freed_damage(record, fill):
    if fill >= NO_FILL:
        return []
    if record.bytes <= FREED_BYTES_MAX:
        return damage(record, 0, record.bytes, fill)
    half = FREED_BYTES_MAX // 2
    return damage(record, 0, half, fill) + damage(record, record.bytes - half, half, fill)


def damages(record, fill):
    """What is wrong with the block, as words and the offsets."""
    around = (("bytes before it", damage(record, -record.front_bytes, record.front_bytes, FRONT)),
              ("bytes behind it", damage(record, record.bytes, record.behind_bytes, BEHIND)))
    freed = freed_damage(record, fill) if record.state_name == "freed" else []
    return [(words, found) for words, found in (*around, ("bytes since it was freed", freed))
            if found]


class Heap(gdb.Command):
    """The debug heap of spanguard: heap why ADDRESS, heap check, heap list [--site TEXT]."""

    def __init__(self):
        super().__init__("heap", gdb.COMMAND_DATA, prefix=True)


class HeapWhy(gdb.Command):
    """heap why ADDRESS: the block that the address lies in, or is nearest to."""

    def __init__(self):
        super().__init__("heap why", gdb.COMMAND_DATA, gdb.COMPLETE_EXPRESSION)

    def invoke(self, argument, from_tty):
        if not argument:
            raise gdb.GdbError("heap why ADDRESS")
        address = int(gdb.parse_and_eval(argument)) & (1 << 64) - 1
        is_guard = option("profile") == PROFILE_GUARD
        best = min(records(), key=lambda record: rank(record, address, is_guard), default=None)
        if best is None or best.distance(address) > NEAR_BYTES:
            print(f"{address:#x} is in no block and near none")
            return
        print(f"{address:#x} is {position(best, address)} a {best.state_name} block of "
              f"{plural(best.bytes)}")
        print_record(best)
        for words, found in damages(best, option("free_fill")):
            print(f"  damaged   {plural(len(found))} of the {words}, the first at {found[0]:+d}")


class HeapCheck(gdb.Command):
    """heap check: every block that was written to where it should not have been."""

    def __init__(self):
        super().__init__("heap check", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        fill, count, damaged = option("free_fill"), 0, 0
        for record in records():
            if not record.is_held:
                continue
            count += 1
            found = damages(record, fill)
            damaged += bool(found)
            for words, offsets in found:
                print(f"{record.start:#x}: {plural(len(offsets))} of the {words} changed, the "
                      f"first at {offsets[0]:+d}")
            if found:
                print_record(record)
        print(f"{plural(count, 'block')} checked, {damaged} damaged")


class HeapList(gdb.Command):
    """heap list [--site TEXT] [--freed]: bytes by the place that allocated them, or blocks."""

    def __init__(self):
        super().__init__("heap list", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        words = gdb.string_to_argv(argument)
        states = ("freed",) if "--freed" in words else ("live", "busy")
        words = [word for word in words if word != "--freed"]
        if words and (words[0] != "--site" or len(words) != 2):
            raise gdb.GdbError("heap list [--site TEXT] [--freed]")
        found = [record for record in records() if record.state_name in states]
        if words:
            self.list_blocks(found, words[1])
        else:
            self.list_sites(found)

    @staticmethod
    def list_blocks(found, text):
        chosen, matches = [], {}
        for record in found:
            stack = record.made_stack
            if stack not in matches:
                matches[stack] = any(text in place(returned) for returned in frames(stack))
            if matches[stack]:
                chosen.append(record)
        for record in chosen[:BLOCKS_SHOWN]:
            print(f"{record.start:#x}  {plural(record.bytes)}, allocation #{record.sequence}, "
                  f"thread {record.made_thread}")
        if len(chosen) > BLOCKS_SHOWN:
            print("...")
        print(f"{plural(len(chosen), 'block')}, {plural(sum(one.bytes for one in chosen))}")

    @staticmethod
    def list_sites(found):
        sites = {}
        for record in found:
            count, total = sites.get(record.made_stack, (0, 0))
            sites[record.made_stack] = (count + 1, total + record.bytes)
        ordered = sorted(sites.items(), key=lambda site: -site[1][1])
        for stack, (count, total) in ordered[:SITES_SHOWN]:
            stack_frames = frames(stack)
            where = " < ".join(place(returned) for returned in stack_frames[:3])
            print(f"{total:>14,} B {count:>9,}  {where or 'not recorded'}")
        print(f"{plural(len(found), 'block')}, {plural(sum(one.bytes for one in found))}, "
              f"from {plural(len(sites), 'place')}")


for command in (Heap, HeapWhy, HeapCheck, HeapList):
    command()
