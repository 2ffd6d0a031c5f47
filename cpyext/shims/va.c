/* One function per C type that Rust may fetch from a va_list. */
#include "varargs.h"

int adder_va_int(va_list *args) { return va_arg(*args, int); }
unsigned int adder_va_uint(va_list *args) { return va_arg(*args, unsigned int); }
long adder_va_long(va_list *args) { return va_arg(*args, long); }
long long adder_va_longlong(va_list *args) { return va_arg(*args, long long); }
Py_ssize_t adder_va_ssize(va_list *args) { return va_arg(*args, Py_ssize_t); }
double adder_va_double(va_list *args) { return va_arg(*args, double); }
void *adder_va_ptr(va_list *args) { return va_arg(*args, void *); }
