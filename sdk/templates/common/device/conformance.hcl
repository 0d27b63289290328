directory = "examples"
