locals {
  repository = "${google_artifact_registry_repository.images.location}-docker.pkg.dev/${var.project}/${google_artifact_registry_repository.images.repository_id}/pixart-batch"
}

module "chart" {
  source = "../chart"

  repository       = local.repository
  store            = google_storage_bucket.store.name
  bundles          = google_storage_bucket.bundles.name
  accounts         = { for part in local.workers : part => google_service_account.worker[part].email }
  gpu_pools        = var.gpu_pools
  encoders_on_spot = var.encode_pool.spot
}

output "values" {
  description = "Values for the Helm chart: `terraform output -raw values > gke.yaml`."
  value       = module.chart.values
}

output "repository" {
  description = "Where to push the image to."
  value       = local.repository
}

output "credentials" {
  description = "The command that adds the cluster to kubectl."
  value       = "gcloud container clusters get-credentials ${google_container_cluster.fleet.name} --location=${var.region} --project=${var.project} --dns-endpoint"
}

output "egress_address" {
  description = "The address that Temporal Cloud and webhooks see; add it to their allow lists."
  value       = google_compute_address.egress.address
}
