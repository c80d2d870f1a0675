use = ["builtin"]
