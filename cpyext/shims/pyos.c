/* PyOS_snprintf, PyOS_vsnprintf: always terminated, never more than INT_MAX bytes. */
#include "varargs.h"
#include <limits.h>
#include <stdio.h>

EXPORT(int) PyOS_vsnprintf(char *str, size_t size, const char *format, va_list vargs)
{
    if (str == NULL || size == 0 || format == NULL || size > INT_MAX - 512) {
        if (str != NULL && size > 0)
            str[size - 1] = '\0';
        return -666;
    }
    int n = vsnprintf(str, size, format, vargs);
    str[size - 1] = '\0';
    return n;
}

EXPORT(int) PyOS_snprintf(char *str, size_t size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int result = PyOS_vsnprintf(str, size, format, args);
    va_end(args);
    return result;
}
