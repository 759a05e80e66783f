/* A library that loads like any other and replaces nothing: protection that is not there. */

int bystander(void);

int bystander(void)
{
    return 0;
}
