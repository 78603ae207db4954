/* test_symbols.c -- names: registered, loaded from shared objects, told from others. */
#include "check.h"

#include <sheaf/sheaf.h>

#include "job/symbol.h"

static int one(const sheaf_task *task)
{
    (void)task;
    return 0;
}

static int two(const sheaf_task *task)
{
    (void)task;
    return 1;
}

static void a_name_is_one_function(void)
{
    char name[SYMBOL_NAME_BYTES + 1];
    sheaf_callable *callable;
    CHECK(symbol_registry_hash() == 0);
    CHECK_OK(sheaf_register("one", one));
    CHECK_OK(sheaf_register("one", one));
    CHECK_STATUS(SHEAF_ERR_EXISTS, sheaf_register("one", two));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_register("", one));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_register(NULL, one));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_register("none", NULL));
    memset(name, 'a', sizeof name);
    name[SYMBOL_NAME_BYTES] = '\0';
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_register(name, one));
    CHECK_OK(sheaf_callable_open(&callable, NULL, "one"));
    CHECK(((struct symbol *)callable)->address == (const void *)one);
    sheaf_callable_release(callable);
    CHECK_STATUS(SHEAF_ERR_NOT_FOUND, sheaf_callable_open(&callable, NULL, "three"));
    CHECK_ERROR_SAYS("sheaf_register");
    sheaf_callable_release(NULL);
}

static void the_registry_is_its_names_in_any_order(void)
{
    uint64_t before = symbol_registry_hash();
    CHECK_OK(sheaf_register("two", two));
    CHECK(symbol_registry_hash() != before && before != 0);
}

static void a_shared_object_gives_what_it_exports(void)
{
    sheaf_callable *callable;
    struct symbol *symbol;
    struct symbol_name where;
    const void *address;
    void *object;
    CHECK_STATUS(SHEAF_ERR_NOT_FOUND, sheaf_callable_open(&callable, "/no/such.so", "square"));
    CHECK_ERROR_SAYS("/no/such.so");
    CHECK_STATUS(SHEAF_ERR_NOT_FOUND, sheaf_callable_open(&callable, CALLABLES, "cube"));
    CHECK_ERROR_SAYS("cube");
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_callable_open(&callable, CALLABLES, NULL));
    CHECK_OK(symbol_open(&symbol, CALLABLES, "square"));
    CHECK_OK(symbol_find(&address, &object, &symbol->where));
    CHECK(address == symbol->address);
    where = symbol->where;
    where.changed_ns++; /* another file at the same path */
    CHECK_STATUS(SHEAF_ERR_NOT_FOUND, symbol_find(&address, &object, &where));
    CHECK_ERROR_SAYS("replaced");
    CHECK_OK(symbol_find(&address, &object, &symbol->where));
    symbol_release(symbol);
    CHECK_OK(symbol_open(&symbol, "libm.so.6", "cos")); /* where the loader looks */
    CHECK(symbol->where.path[0] == '/');
    symbol_release(symbol);
}

CHECK_MAIN(CASE(a_name_is_one_function), CASE(the_registry_is_its_names_in_any_order),
           CASE(a_shared_object_gives_what_it_exports))
