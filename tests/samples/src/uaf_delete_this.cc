/* An object deletes itself, and then notes that it is closed. */
#include "sample.h"
#include <cstdio>

class Connection
{
  public:
    NOINLINE void close()
    {
        if (IS_FIXED)
            is_open = false;
        release();
        if (!IS_FIXED)
            ((Connection *)opaque(this))->is_open = false; /* BUG */
    }

  private:
    NOINLINE void release()
    {
        delete this; /* FREE */
        forget();
    }
    long bytes = 7;
    bool is_open = true;
    char peer[30] = {};
};

int main()
{
    Connection *connection = new Connection; /* ALLOC */

    ((Connection *)opaque(connection))->close();
    std::printf("closed\n");
    return 0;
}
