server {
  encrypt = "cg8StVXbQJ0gPvMd9o7yrg=="
}
