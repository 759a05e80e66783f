/* The program is right; what it loads is not. The plugin's path is the first argument. */
#include "sample.h"
#include <dlfcn.h>
#include <stdio.h>

int main(int count, char **arguments)
{
    void *plugin = count > 1 ? dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL) : NULL;

    if (plugin == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    int (*run)(int) = (int (*)(int))dlsym(plugin, "plugin_run");
    if (run == NULL)
        return 1;
    printf("%d\n", run(12));
    return 0;
}
