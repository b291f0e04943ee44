variables {
  bucket = "studio-images"
}

run "each_permission_has_a_role" {
  variables {
    members = {}
  }

  assert {
    condition     = output.roles["pixartBatchGet"] == "storage.objects.get"
    error_message = "Each role has to have one permission, and its name."
  }

  assert {
    condition     = length(output.bindings) == 0
    error_message = "Parts without a member must not be bound to anything."
  }
}

run "members_of_a_part_are_bound_alike" {
  variables {
    members = { reviewer = ["user:ada@example.com", "user:grace@example.com"] }
  }

  assert {
    condition     = length(output.bindings) == 4 && length(distinct(values(output.bindings)[*].expression)) == 2
    error_message = "Each member has to be bound to two roles, one of them with a condition."
  }
}

run "misspelt_part_is_refused" {
  command = plan

  variables {
    members = { rendrer = ["user:ada@example.com"] }
  }

  expect_failures = [var.members]
}
