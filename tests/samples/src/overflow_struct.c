/* A structure is allocated with the size of a pointer to it. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>

struct account {
    long number;
    long balance;
    char owner[16];
};

static NOINLINE struct account *open_account(long number)
{
    struct account *account;

    account = (struct account *)opaque(malloc(PICK(sizeof(*account), sizeof(account)))); /* ALLOC */
    account->number = number;
    account->balance = 100; /* BUG */
    return account;
}

int main(void)
{
    struct account *account = open_account(7);

    printf("%ld\n", account->number);
    free(account);
    return 0;
}
