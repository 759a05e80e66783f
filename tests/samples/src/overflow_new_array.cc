/* A matrix of rows by columns, allocated as rows by rows. */
#include "sample.h"
#include <cstdio>

class Matrix
{
  public:
    NOINLINE Matrix(int rows, int columns) : columns(columns)
    {
        cells = new double[rows * PICK(columns, rows)]; /* ALLOC */
    }
    ~Matrix()
    {
        delete[] cells;
    }
    NOINLINE void set(int row, int column, double value)
    {
        ((double *)opaque(cells))[row * columns + column] = value; /* BUG */
    }

  private:
    double *cells;
    int columns;
};

int main()
{
    Matrix matrix(4, 5);

    for (int row = 0; row < 4; row++)
        for (int column = 0; column < 5; column++)
            if (row * 5 + column < 17)
                matrix.set(row, column, 1.0);
    std::printf("set\n");
    return 0;
}
