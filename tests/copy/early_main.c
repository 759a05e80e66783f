int early(void);

int main(void)
{
    return early();
}
