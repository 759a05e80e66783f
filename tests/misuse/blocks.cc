// The block that a case is about, and its live neighbours.
#include "misuse.h"

#include <cstdlib>
#include <cstring>
#include <malloc.h>
#include <sys/uio.h>
#include <unistd.h>

static struct {
    void *blocks[128];
    size_t count;
} pins;

void add_pin(void *block)
{
    if (pins.count == sizeof pins.blocks / sizeof *pins.blocks)
        abort();
    pins.blocks[pins.count++] = block;
}

static void make_pins(scene &scene)
{
    for (int i = 0; i < 32 && scene.bytes < 100000; i++)
        add_pin(scene.by->make(scene.bytes));
}

void end_pins(const scene &scene)
{
    while (pins.count > 0)
        scene.by->end(pins.blocks[--pins.count]);
}

void make_block(scene &scene)
{
    scene.block = static_cast<unsigned char *>(opaque(scene.by->make(scene.bytes)));
    memset(scene.block, 0x11, scene.bytes);
    scene.usable = malloc_usable_size(scene.block);
    scene.pointer = scene.block;
    scene.is_owned = true;
}

void make_pinned_block(scene &scene)
{
    make_pins(scene);
    make_block(scene);
    make_pins(scene);
}

void end_block(scene &scene)
{
    if (scene.clean)
        return;
    scene.by->end(opaque(scene.block));
    scene.is_owned = false;
}

int peek(const void *address)
{
    unsigned char byte;
    iovec to = {&byte, 1}, from = {const_cast<void *>(address), 1};

    return process_vm_readv(getpid(), &to, 1, &from, 1, 0) == 1 ? byte : -1;
}
