#include "probe.h"

/* A symbol that does not say how far it reaches, in front of functions that a strip takes the names
 * of. */
__asm__(".text\n\t.globl plugin_label\n\t.type plugin_label, @function\nplugin_label:\n\tnop");

int plugin_state = 7;
static char plugin_hidden[64];

static __attribute__((noinline)) void plugin_inner(int value)
{
    plugin_hidden[value & 63] = 1;
    probe_stack(); /* PLUGIN */
    plugin_hidden[1] = 2;
}

__attribute__((noinline)) int plugin_enter(int value)
{
    plugin_inner(value + 1);
    return plugin_state + plugin_hidden[0];
}

__attribute__((noinline)) void plugin_data(void)
{
    probe_data(&plugin_hidden[5]);
    probe_data(&plugin_state);
}
